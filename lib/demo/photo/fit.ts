import type { Picture } from './picture.ts'

/** The area the demo works on at most: 4096 patches of 8 px, so that the whole list stays a matter of seconds. */
const maxArea = 512 * 512
/** The shorter side at least: four patches of 16 px. */
const minSide = 64
/** Both patch sizes divide it, so that no scale leaves a rim out. */
const multiple = 16

/** A picture that both patch sizes divide, and how it came to be, in words for the page. */
export interface Fitted {
  readonly picture: Picture
  readonly note: string
}

/**
 * Brings a picture to a size that the demo works on. The rule: more than 262,144 pixels are averaged down to
 * that area, a side under 64 px is enlarged to 64 (an extreme panorama is stretched by that), and the
 * columns and rows beyond a multiple of 16 are trimmed evenly from both ends.
 */
export function fitPicture(original: Picture): Fitted {
  const { width, height } = original
  const size = targetSize(width, height)
  const resized =
    size.width === width && size.height === height ? original : resample(original, size)
  const picture = trim(resized)
  const steps = [`${width} × ${height} px`]
  if (resized !== original) {
    steps.push(
      `${size.width * size.height < width * height ? 'averaged down' : 'enlarged'} to ${size.width} × ${size.height}`,
    )
  }
  if (picture !== resized) steps.push(`trimmed to ${picture.width} × ${picture.height}`)
  return { picture, note: steps.join(', ') }
}

function targetSize(width: number, height: number): { width: number; height: number } {
  const shrink = Math.min(1, Math.sqrt(maxArea / (width * height)))
  let wide = Math.max(minSide, Math.round(width * shrink))
  let high = Math.max(minSide, Math.round(height * shrink))
  if (wide * high > maxArea) {
    if (wide > high) wide = Math.floor(maxArea / high)
    else high = Math.floor(maxArea / wide)
  }
  return { width: wide, height: high }
}

function trim(picture: Picture): Picture {
  const width = picture.width - (picture.width % multiple)
  const height = picture.height - (picture.height % multiple)
  if (width === picture.width && height === picture.height) return picture
  const left = (picture.width - width) >> 1
  const top = (picture.height - height) >> 1
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    const from = ((y + top) * picture.width + left) * 3
    rgb.set(picture.rgb.subarray(from, from + width * 3), y * width * 3)
  }
  return { width, height, rgb }
}

/** For each target position the first source position and the weights of those from it on. */
interface Taps {
  readonly first: number
  readonly weights: readonly number[]
}

/** A triangle as wide as the step: linear interpolation enlarging, a weighted area average shrinking. */
function triangleTaps(from: number, to: number): Taps[] {
  const step = from / to
  const radius = Math.max(1, step)
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * step - 0.5
    const first = Math.max(0, Math.ceil(centre - radius))
    const last = Math.min(from - 1, Math.floor(centre + radius))
    const weights = Array.from(
      { length: last - first + 1 },
      (_, k) => 1 - Math.abs(first + k - centre) / radius,
    )
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return sum > 0
      ? { first, weights: weights.map(weight => weight / sum) }
      : { first, weights: [1] }
  })
}

/** Separable; the axis that leaves the smaller intermediate goes first. */
function resample({ width, height, rgb }: Picture, to: { width: number; height: number }): Picture {
  const columns = triangleTaps(width, to.width)
  const rows = triangleTaps(height, to.height)
  const sums =
    width * to.height < to.width * height
      ? alongX(alongY(rgb, width, rows), width, to.height, columns)
      : alongY(alongX(rgb, width, height, columns), to.width, rows)
  return { width: to.width, height: to.height, rgb: Uint8Array.from(sums, Math.round) }
}

type Samples = Uint8Array | Float32Array

function alongX(
  pixels: Samples,
  width: number,
  height: number,
  taps: readonly Taps[],
): Float32Array {
  const out = new Float32Array(height * taps.length * 3)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (const { first, weights } of taps) {
      const from = (y * width + first) * 3
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * pixels[from + k * 3 + c]!
        out[at++] = sum
      }
    }
  }
  return out
}

function alongY(pixels: Samples, width: number, taps: readonly Taps[]): Float32Array {
  const rowLength = width * 3
  const out = new Float32Array(taps.length * rowLength)
  taps.forEach(({ first, weights }, y) => {
    weights.forEach((weight, k) => {
      const from = (first + k) * rowLength
      for (let x = 0; x < rowLength; x++) out[y * rowLength + x]! += weight * pixels[from + x]!
    })
  })
  return out
}
