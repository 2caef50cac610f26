import type { Grid } from '../../photo/grid.ts'
import type { Picture } from '../../photo/picture.ts'

/** Drawings are at least this wide, so that the patches of a small picture can be told apart… */
const minWidth = 448
/** … unless that made them larger than this. */
const maxPixels = 1e6

type Colour = readonly [red: number, green: number, blue: number]

/** From little to much: dusk, plum, ember, flame, straw. Lightness grows evenly, so it reads in grey too. */
export const heatRamp: readonly Colour[] = [
  [38, 22, 82],
  [122, 30, 122],
  [214, 60, 88],
  [250, 140, 42],
  [255, 240, 170],
]

/** From the negative end over nothing to the positive end. */
const signedRamp: readonly Colour[] = [
  [120, 225, 255],
  [30, 120, 190],
  [22, 26, 34],
  [200, 90, 30],
  [255, 220, 130],
]

/** The attention of one query over the photograph: the more a patch gets, the lighter; the query outlined. */
export function drawAttention(
  photo: Picture,
  grid: Grid,
  weights: ArrayLike<number>,
  query?: number,
): Picture {
  // The query itself mostly gets more than anything else; the scale is set by what the others get.
  let most = 0
  for (let token = 0; token < weights.length; token++)
    if (token !== query) most = Math.max(most, weights[token]!)
  const shares = Float32Array.from(weights, weight =>
    most > 0 ? Math.sqrt(Math.min(1, weight / most)) : 0,
  )
  const drawing = drawHeat(photo, grid, shares)
  if (query !== undefined) outline(drawing, photo, grid, query)
  return drawing
}

/** Values between 0 and 1 as heat over the dimmed photograph, blended between the centres of the patches. */
export function drawHeat(photo: Picture, grid: Grid, values: ArrayLike<number>): Picture {
  const drawing = enlarge(photo)
  const zoom = drawing.width / photo.width
  paint(drawing, (x, y, r, g, b) => {
    const share = blend(grid, values, x / zoom, y / zoom)
    const grey = luminance(r, g, b)
    const glow = ramp(heatRamp, share)
    const cover = Math.min(1, share * 1.6) * 0.82
    const shade = 0.5 + (0.66 * grey) / 255
    const over = (own: number, value: number): number =>
      (0.1 * own + 0.27 * grey) * (1 - cover) + value * shade * cover
    return [over(r, glow[0]), over(g, glow[1]), over(b, glow[2])]
  })
  return drawing
}

/** What a query may look at: patches that it sees stay as they are, the rest sinks into the dark. */
export function drawVisible(
  photo: Picture,
  grid: Grid,
  visible: (token: number) => boolean,
  query?: number,
): Picture {
  const drawing = enlarge(photo)
  const side = (grid.patch * drawing.width) / photo.width
  paint(drawing, (x, y, r, g, b) => {
    const row = Math.min(grid.rows - 1, Math.floor(y / side))
    const column = Math.min(grid.columns - 1, Math.floor(x / side))
    if (visible(row * grid.columns + column)) {
      const seam = x % side === 0 || y % side === 0
      return seam ? [r * 0.82, g * 0.82, b * 0.82] : [r, g, b]
    }
    const grey = luminance(r, g, b)
    return [0.06 * r + 0.1 * grey, 0.06 * g + 0.1 * grey, 0.06 * b + 0.13 * grey]
  })
  if (query !== undefined) outline(drawing, photo, grid, query)
  return drawing
}

/** The whole pattern, queries down and keys across: a point a pair, or several pairs beyond 1024. */
export function drawPattern(count: number, sees: (query: number, key: number) => boolean): Picture {
  const side = Math.min(count, 1024)
  const rgb = new Uint8Array(side * side * 3)
  for (let y = 0; y < side; y++) {
    const query = Math.floor((y * count) / side)
    for (let x = 0; x < side; x++) {
      const first = Math.floor((x * count) / side)
      const end = Math.max(first + 1, Math.floor(((x + 1) * count) / side))
      let seen = false
      for (let key = first; key < end && !seen; key++) seen = sees(query, key)
      rgb.set(seen ? heatRamp[3]! : signedRamp[2]!, (y * side + x) * 3)
    }
  }
  return { width: side, height: side, rgb }
}

/** Values of either sign, drawn alone: blue below nothing, orange above; `most` is the end of both. */
export function drawSigned(
  photo: Picture,
  grid: Grid,
  values: ArrayLike<number>,
  most: number,
): Picture {
  const drawing = enlarge(photo)
  const zoom = drawing.width / photo.width
  paint(drawing, (x, y) => {
    const value = blend(grid, values, x / zoom, y / zoom)
    return ramp(signedRamp, 0.5 + 0.5 * Math.max(-1, Math.min(1, value / (most || 1))))
  })
  return drawing
}

/** One colour a patch, [rows x columns x 3] from 0 to 255. */
export function drawPatches(grid: Grid, colours: ArrayLike<number>): Picture {
  const scale = grid.patch
  const width = grid.columns * scale
  const height = grid.rows * scale
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const token = Math.floor(y / scale) * grid.columns + Math.floor(x / scale)
      for (let c = 0; c < 3; c++) rgb[(y * width + x) * 3 + c] = clampByte(colours[token * 3 + c]!)
    }
  }
  return { width, height, rgb }
}

/** Small signed squares (filters, say) side by side, each against its own largest value. */
export function drawTiles(tiles: readonly Float32Array[], side: number, across: number): Picture {
  const zoom = Math.max(1, Math.floor(minWidth / across / (side + 1)))
  const pitch = side * zoom + Math.max(2, zoom >> 1)
  const width = across * pitch
  const height = Math.ceil(tiles.length / across) * pitch
  const rgb = new Uint8Array(width * height * 3)
  for (let at = 0; at < rgb.length; at += 3) rgb.set([11, 13, 18], at)
  tiles.forEach((tile, index) => {
    const most = tile.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1
    for (let y = 0; y < side * zoom; y++) {
      for (let x = 0; x < side * zoom; x++) {
        const value = tile[Math.floor(y / zoom) * side + Math.floor(x / zoom)]!
        const left = (index % across) * pitch + ((pitch - side * zoom) >> 1) + x
        const top = Math.floor(index / across) * pitch + ((pitch - side * zoom) >> 1) + y
        rgb.set(
          ramp(signedRamp, 0.5 + (0.5 * value) / most).map(clampByte),
          (top * width + left) * 3,
        )
      }
    }
  })
  return { width, height, rgb }
}

/** A copy by a whole factor, wide enough to be looked at. */
function enlarge({ width, height, rgb }: Picture): Picture {
  const zoom = Math.max(
    1,
    Math.min(Math.ceil(minWidth / width), Math.floor(Math.sqrt(maxPixels / (width * height)))),
  )
  const large = new Uint8Array(width * zoom * height * zoom * 3)
  for (let y = 0, at = 0; y < height * zoom; y++) {
    for (let x = 0; x < width * zoom; x++) {
      const from = (Math.floor(y / zoom) * width + Math.floor(x / zoom)) * 3
      large[at++] = rgb[from]!
      large[at++] = rgb[from + 1]!
      large[at++] = rgb[from + 2]!
    }
  }
  return { width: width * zoom, height: height * zoom, rgb: large }
}

/** A white frame around a patch with a dark one around it: seen on any ground. */
function outline(drawing: Picture, photo: Picture, grid: Grid, token: number): void {
  const side = (grid.patch * drawing.width) / photo.width
  const left = (token % grid.columns) * side
  const top = Math.floor(token / grid.columns) * side
  frame(drawing, left - 3, top - 3, side + 6, 5, [8, 10, 14])
  frame(drawing, left - 2, top - 2, side + 4, 2, [255, 255, 255])
}

function frame(
  { width, height, rgb }: Picture,
  left: number,
  top: number,
  side: number,
  thick: number,
  colour: Colour,
): void {
  for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
    for (let x = Math.max(0, left); x < Math.min(width, left + side); x++) {
      const inset = Math.min(x - left, y - top, left + side - 1 - x, top + side - 1 - y)
      if (inset < thick) rgb.set(colour, (y * width + x) * 3)
    }
  }
}

/** Called for every pixel of every picture, hence without iterators. */
function paint(
  { width, height, rgb }: Picture,
  colour: (x: number, y: number, red: number, green: number, blue: number) => Colour,
): void {
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const painted = colour(x, y, rgb[at]!, rgb[at + 1]!, rgb[at + 2]!)
      rgb[at] = clampByte(painted[0])
      rgb[at + 1] = clampByte(painted[1])
      rgb[at + 2] = clampByte(painted[2])
    }
  }
}

/** Bilinear between the centres of the patches; beyond the outermost centres, those. */
function blend(
  { rows, columns, patch }: Grid,
  values: ArrayLike<number>,
  x: number,
  y: number,
): number {
  const across = Math.min(columns - 1, Math.max(0, (x + 0.5) / patch - 0.5))
  const down = Math.min(rows - 1, Math.max(0, (y + 0.5) / patch - 0.5))
  const column = Math.floor(across)
  const row = Math.floor(down)
  const right = Math.min(columns - 1, column + 1)
  const below = Math.min(rows - 1, row + 1) * columns
  const fx = across - column
  const fy = down - row
  const upper = values[row * columns + column]! * (1 - fx) + values[row * columns + right]! * fx
  const lower = values[below + column]! * (1 - fx) + values[below + right]! * fx
  return upper * (1 - fy) + lower * fy
}

function ramp(colours: readonly Colour[], share: number): Colour {
  const position = Math.min(1, Math.max(0, share)) * (colours.length - 1)
  const from = Math.min(colours.length - 2, Math.floor(position))
  const t = position - from
  const [low, high] = [colours[from]!, colours[from + 1]!]
  const mix = (c: 0 | 1 | 2): number => low[c] * (1 - t) + high[c] * t
  return [mix(0), mix(1), mix(2)]
}

function luminance(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue
}

function clampByte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)))
}
