import { type Tensor, tensor, twinsLsaBlock } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention } from './shared/attention.ts'
import * as reference from './shared/reference.ts'

/** Patches along a side of a window. */
const windowSize = 5

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'The same windows, 5 × 5 patches, as the layer of a network: one projection makes queries, keys and values of its input, another mixes the result. Here they only sort the channels.',
  show(photo, bench) {
    const { coarse } = photo
    const { rows, columns, count, tokens } = coarse
    const width = tokens.shape[2]!
    const query = tensor(tokens.data, [1, 1, count, width])
    const scale = defaultScale(query)
    const options = {
      heads: 1,
      windowSize,
      height: rows,
      width: columns,
      padMode: 'exclude',
    } as const
    const attend = (value: Tensor): Tensor => {
      const { x, weights, channels } = layer(tokens, value, scale)
      const { out } = twinsLsaBlock(x, weights, options)
      return tensor(out.data, [1, 1, count, channels - width], {
        strides: [0, 0, channels, 1],
        offset: out.offset + width,
      })
    }
    const windowOf = (token: number): number =>
      Math.floor(Math.floor(token / columns) / windowSize) * columns +
      Math.floor((token % columns) / windowSize)
    const sees = (i: number, j: number): boolean => windowOf(i) === windowOf(j)
    const shown = showAttention(photo, bench, { tokens: coarse, query, attend, sees })
    // The projections are most of the layer's work.
    const { x, weights, channels } = layer(tokens, query, scale)
    const pairs = count * Math.min(count, windowSize ** 2)
    const { row } = bench.measure({
      label: `${coarse.patch} px patches, with its projections`,
      shape: `1×${count}×${channels}`,
      flops: 8 * count * channels ** 2 + 4 * pairs * channels,
      run: () => twinsLsaBlock(x, weights, options).out,
      output: out => tensor(out.data, [count, width], { strides: [channels, 1], offset: width }),
      expected: () => reference.attention(query, query, query, scale, sees),
    })
    return { ...shown, rows: [row] }
  },
}

/** An input of tokens beside values, and weights that make the ones queries and keys, the others values. */
function layer(tokens: Tensor, value: Tensor, scale: number) {
  const [, count, width] = tokens.shape as [number, number, number]
  const channels = width + value.shape[3]!
  const x = new Float32Array(count * channels)
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < width; c++) x[i * channels + c] = tokens.data[i * width + c]!
    for (let c = width; c < channels; c++)
      x[i * channels + c] =
        value.data[value.offset + i * value.strides[2]! + (c - width) * value.strides[3]!]!
  }
  const qkv = new Float32Array(3 * channels * channels)
  const proj = new Float32Array(channels * channels)
  for (let c = 0; c < channels; c++) {
    // Scores are divided by sqrt(channels) in the layer.
    if (c < width) qkv[c * channels + c] = scale * Math.sqrt(channels)
    if (c < width) qkv[(channels + c) * channels + c] = 1
    else qkv[(2 * channels + c) * channels + c] = 1
    proj[c * channels + c] = 1
  }
  const weights = {
    'qkv.weight': tensor(qkv, [3 * channels, channels]),
    'proj.weight': tensor(proj, [channels, channels]),
    'proj.bias': tensor(new Float32Array(channels), [channels]),
  }
  return { x: tensor(x, [1, count, channels]), weights, channels }
}
