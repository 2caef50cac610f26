import { globalSubsampledAttention, permute, reshape, type Tensor, tensor } from '../../index.ts'
import type { Exhibit, Figure } from '../exhibit.ts'
import { type Grid, type Scale, tokenAt } from '../photo/grid.ts'
import { type Photo, sharpness } from '../photo/photo.ts'
import { drawAttention, drawVisible } from './shared/draw.ts'
import { constant, selection } from './shared/handmade.ts'
import * as reference from './shared/reference.ts'
import { tellAttention } from './shared/tell.ts'

/** Patches of the photograph along either side of a reduced one. */
const ratio = 2
/** How loud a token says its place: so much that the norm of a reduced patch hears nothing else. */
const loudness = 100
const normEps = 1e-5

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Every patch looks at the whole picture, but at a quarter of its size: four patches are averaged into one before they are looked at.',
  show(photo, bench) {
    const { coarse } = photo
    const { rows: height, columns: width, count } = coarse
    const [, heads, , depth] = coarse.heads.shape as [number, number, number, number]
    const size = heads * depth
    const each = selection(size, 0, size)
    const own = averaging(size, each, each)
    const keys = Math.floor(height / ratio) * Math.floor(width / ratio)
    const { row } = bench.measure({
      label: '16 px patches',
      shape: `1×${height}×${width}×${size}, ${heads} heads, ratio ${ratio}`,
      flops: size * (4 * count * size + keys * size * (4 + 2 * ratio ** 2) + 4 * count * keys),
      run: () => globalSubsampledAttention(coarse.tokens, own, { heads, height, width }).out,
      output: out => permute(reshape(out, [1, count, heads, depth]), [0, 2, 1, 3]),
      expected() {
        const key: reference.Heads = {
          data: reference.layerNorm(averages(coarse), size, normEps),
          shape: [1, heads, keys, depth],
          strides: [0, depth, size, 1],
          offset: 0,
        }
        return reference.attention(coarse.heads, key, key, 1 / Math.sqrt(depth))
      },
    })
    return { rows: [row], figures: figures(photo) }
  },
}

/** Weights whose reduction is the mean of a patch; keys and values are its channels that these take. */
function averaging(channels: number, query: Tensor, key: Tensor, value = key) {
  const taps = ratio ** 2
  const mean = new Float32Array(channels ** 2 * taps)
  for (let c = 0; c < channels; c++)
    mean.fill(1 / taps, (c * channels + c) * taps, (c * channels + c + 1) * taps)
  const keysAndValues = new Float32Array(2 * channels ** 2)
  keysAndValues.set(key.data as Float32Array)
  keysAndValues.set(value.data as Float32Array, channels ** 2)
  return {
    'q.weight': query,
    'kv.weight': tensor(keysAndValues, [2 * channels, channels]),
    'proj.weight': selection(channels, 0, channels),
    'proj.bias': constant(channels, 0),
    'sr.weight': tensor(mean, [channels, channels, ratio, ratio]),
    'sr.bias': constant(channels, 0),
    'norm.weight': constant(channels, 1),
    'norm.bias': constant(channels, 0),
  }
}

/** Values that are places give the attention itself. */
function figures(photo: Photo): Figure[] {
  const { coarse, picture, spots } = photo
  const grid: Grid = {
    rows: Math.floor(coarse.rows / ratio),
    columns: Math.floor(coarse.columns / ratio),
    patch: coarse.patch * ratio,
  }
  const keys = grid.rows * grid.columns
  const size = coarse.tokens.shape[2]!
  const channels = size + keys
  const data = new Float32Array(coarse.count * channels)
  for (let token = 0; token < coarse.count; token++) {
    const row = Math.floor(Math.floor(token / coarse.columns) / ratio)
    const column = Math.floor((token % coarse.columns) / ratio)
    for (let c = 0; c < size; c++)
      data[token * channels + c] = coarse.tokens.data[token * size + c] as number
    if (row < grid.rows && column < grid.columns)
      data[token * channels + size + row * grid.columns + column] = loudness
  }
  const { out } = globalSubsampledAttention(
    tensor(data, [1, coarse.count, channels]),
    averaging(
      channels,
      selection(channels, 0, size, (loudness * sharpness) / size),
      selection(channels, 0, size),
      selection(channels, size, channels),
    ),
    { heads: 1, height: coarse.rows, width: coarse.columns },
  )
  const reduced = { ...grid, count: keys } as Scale
  return spots.slice(0, 3).map(spot => {
    const from = tokenAt(coarse, spot) * channels + size
    const map = out.data.slice(from, from + keys) as Float32Array
    // The norm moved every place alike: what a patch without attention gets is the least.
    const least = map.reduce((a, b) => Math.min(a, b))
    const weights = map.map(value => value - least)
    const at = tokenAt(grid, spot)
    return {
      title: `From ${spot.name}`,
      caption: tellAttention(photo, reduced, weights, spot),
      panels: [
        { label: 'what it may see: averages', picture: drawVisible(picture, grid, () => true, at) },
        { label: 'what it attends to', picture: drawAttention(picture, grid, weights, at) },
      ],
    }
  })
}

/** The mean of the tokens of each reduced patch. */
function averages(coarse: Scale): Float64Array {
  const size = coarse.tokens.shape[2]!
  const [rows, columns] = [coarse.rows, coarse.columns].map(n => Math.floor(n / ratio)) as [
    number,
    number,
  ]
  const means = new Float64Array(rows * columns * size)
  for (let row = 0; row < rows * ratio; row++) {
    for (let column = 0; column < columns * ratio; column++) {
      const to = Math.floor(row / ratio) * columns + Math.floor(column / ratio)
      for (let c = 0; c < size; c++) {
        const value = coarse.tokens.data[(row * coarse.columns + column) * size + c] as number
        means[to * size + c]! += value / ratio ** 2
      }
    }
  }
  return means
}
