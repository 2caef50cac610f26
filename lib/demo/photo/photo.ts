import { gelu, globalAveragePool, layerNorm, linear, type Tensor, tensor } from '../../index.ts'
import { describePatches, featureMap, headSize, heads } from './descriptor.ts'
import { filters, filterWeights, windowSize, windowStep } from './filters.ts'
import type { Fitted } from './fit.ts'
import type { Grid, Scale, Spot } from './grid.ts'
import { toLab } from './lab.ts'
import type { Picture } from './picture.ts'
import { findSpots } from './spots.ts'

/** A feature map [1, C, rows, columns] of readings between 0 and 1. */
export interface FeatureMap extends Grid {
  readonly tensor: Tensor
  /** What each of the C channels reads. */
  readonly channels: readonly string[]
}

/** Everything that an exhibit may draw on: the photograph and what the first layers made of it. */
export interface Photo {
  readonly name: string
  readonly picture: Picture
  /** How the working picture came to be. */
  readonly note: string
  readonly spots: readonly Spot[]
  /** Overlapping windows of CIELAB pixels, [cells, 192], with two cells beyond each side of the picture. */
  readonly windows: Tensor
  /** The filter bank as the weights of a linear layer, [64, 192]: each filter, then its negative. */
  readonly filterWeights: Tensor
  /** windows times filters, [cells, 64], and GELU of it. */
  readonly responses: Tensor
  readonly rectified: Tensor
  /** The cells as a grid: what one row of `windows` is centred on. */
  readonly cells: Grid & { readonly margin: number }
  /** Patches of 16 px: few enough to hold every query's attention to every key. */
  readonly coarse: Scale
  /** Patches of 8 px. */
  readonly fine: Scale
  /** 16 readings on the grid of `fine`, for mechanisms that gate a feature map. */
  readonly map: FeatureMap
}

/** How often a token's attention is told from an even one: scores are this times the cosine of the angle. */
export const sharpness = 8

/** Cells beyond each side of the picture: a 16 px patch looks at 32 px, 8 more on every side. */
const margin = 2

/** Runs the photograph through the first layers: filters, GELU, pooling at two scales, normalisation. */
export function readPhoto(
  name: string,
  { picture, note }: Fitted,
  knownSpots?: readonly Spot[],
): Photo {
  const cells = {
    rows: picture.height / windowStep + 2 * margin,
    columns: picture.width / windowStep + 2 * margin,
    patch: windowStep,
    margin,
  }
  const windows = cutWindows(picture, cells)
  const weight = tensor(filterWeights(), [2 * filters.length, windowSize ** 2 * 3])
  const { out: responses } = linear(windows, { weight })
  const { out: rectified } = gelu(responses)
  const [coarse, fine] = [16, 8].map(patch =>
    makeScale(picture, rectified, cells.columns, patch),
  ) as [Scale, Scale]
  const spots = knownSpots ?? findSpots(coarse)
  const { values, channels } = featureMap(pool(rectified, cells.columns, fine, 1), fine.count)
  const map = {
    rows: fine.rows,
    columns: fine.columns,
    patch: fine.patch,
    tensor: tensor(values, [1, channels.length, fine.rows, fine.columns]),
    channels,
  }
  return {
    name,
    picture,
    note,
    spots,
    windows,
    filterWeights: weight,
    responses,
    rectified,
    cells,
    coarse,
    fine,
    map,
  }
}

/** One row a cell, pixels beyond the edge repeating it. */
function cutWindows(picture: Picture, cells: { rows: number; columns: number }): Tensor {
  const lab = toLab(picture)
  const inputs = windowSize ** 2 * 3
  const rows = new Float32Array(cells.rows * cells.columns * inputs)
  const before = margin * windowStep + (windowSize - windowStep) / 2
  let at = 0
  for (let row = 0; row < cells.rows; row++) {
    for (let column = 0; column < cells.columns; column++) {
      for (let dy = 0; dy < windowSize; dy++) {
        const y = clamp(row * windowStep - before + dy, picture.height)
        for (let dx = 0; dx < windowSize; dx++) {
          const from =
            (y * picture.width + clamp(column * windowStep - before + dx, picture.width)) * 3
          rows[at++] = lab[from]!
          rows[at++] = lab[from + 1]!
          rows[at++] = lab[from + 2]!
        }
      }
    }
  }
  return tensor(rows, [cells.rows * cells.columns, inputs])
}

function clamp(position: number, length: number): number {
  return Math.min(length - 1, Math.max(0, position))
}

function makeScale(picture: Picture, rectified: Tensor, cellColumns: number, patch: number): Scale {
  const grid = { rows: picture.height / patch, columns: picture.width / patch, patch }
  const count = grid.rows * grid.columns
  const own = pool(rectified, cellColumns, grid, 1)
  const around = pool(rectified, cellColumns, grid, 2)
  const raw = tensor(describePatches(own, around, grid), [count, heads.length, headSize])
  const { data } = layerNorm(raw).out
  const width = heads.length * headSize
  return {
    ...grid,
    count,
    raw,
    tokens: tensor(data, [1, count, width]),
    heads: tensor(data, [1, heads.length, count, headSize], { strides: [0, headSize, width, 1] }),
    appearance: tensor(data, [1, 1, count, 2 * headSize], { strides: [0, 0, width, 1] }),
    colours: meanColours(picture, grid),
  }
}

/**
 * The mean of the responses over each patch (`across` 1) or over a window `across` times as wide around it:
 * [count, 64]. The windows overlap; they are views of the responses, one call for each row of patches.
 */
function pool(rectified: Tensor, cellColumns: number, grid: Grid, across: number): Float32Array {
  const channels = rectified.shape[1]!
  const step = grid.patch / windowStep
  const size = step * across
  const first = margin - (size - step) / 2
  const pooled = new Float32Array(grid.rows * grid.columns * channels)
  for (let row = 0; row < grid.rows; row++) {
    const patches = tensor(rectified.data, [grid.columns, channels, size, size], {
      strides: [step * channels, 1, cellColumns * channels, channels],
      offset: ((row * step + first) * cellColumns + first) * channels,
    })
    const out = tensor(pooled, [grid.columns, channels], { offset: row * grid.columns * channels })
    globalAveragePool(patches, { into: { out } })
  }
  return pooled
}

function meanColours({ width, rgb }: Picture, { rows, columns, patch }: Grid): Float32Array {
  const means = new Float32Array(rows * columns * 3)
  for (let y = 0; y < rows * patch; y++) {
    for (let x = 0; x < columns * patch; x++) {
      const token = Math.floor(y / patch) * columns + Math.floor(x / patch)
      for (let c = 0; c < 3; c++)
        means[token * 3 + c]! += rgb[(y * width + x) * 3 + c]! / patch ** 2
    }
  }
  return means
}
