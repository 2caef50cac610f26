import { crossCovarianceAttention, tensor } from '../../index.ts'
import { drawPattern } from '../draw.ts'
import type { Exhibit } from '../exhibit.ts'
import { beforeAndBehind, gatedMap } from '../gates.ts'
import * as reference from '../reference.ts'

const sharpness = 8
/** Of a side of a channel's square. */
const pixels = 16

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Channels attend to channels, not patches to patches: those that are strong in the same places are mixed, and the cost grows with the picture only once.',
  show(photo, bench) {
    const { x, count, channels, out } = gatedMap(photo)
    // The map as tokens: a row a position, a column a channel.
    const shape = [1, 1, count, channels]
    const strides = [0, 0, 1, count]
    const tokens = tensor(x.data, shape, { strides })
    const temperature = tensor(Float32Array.of(sharpness), [1])
    const into = { out: tensor(out.data, shape, { strides }) }
    const weights = channelWeights(x.data, count, channels)
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: `1×1×${count}×${channels}`,
      flops: 4 * count * channels ** 2,
      run: () => crossCovarianceAttention(tokens, tokens, tokens, temperature, { into }).out,
      output: result => result,
      expected: () => mixed(weights, x.data, count, channels),
    })
    const hears = (y: number, x: number): boolean =>
      weights[Math.floor(y / pixels) * channels + Math.floor(x / pixels)]! > 1 / channels
    return {
      rows: [row],
      figures: [
        {
          title: 'Which channels hear which',
          caption:
            'Marked where a channel, a line, takes more than an even share of another, a column.',
          panels: [
            {
              label: 'a line a query channel, a column a key channel',
              picture: drawPattern(channels * pixels, hears),
            },
          ],
        },
        beforeAndBehind(photo, result.data, 'What several channels agree on remains.'),
      ],
    }
  },
}

/** Softmax over e of the sharpened cosine of channels c and e, [C, C] in float64. */
function channelWeights(x: ArrayLike<number>, count: number, channels: number): Float64Array {
  const products = new Float64Array(channels * channels)
  for (let c = 0; c < channels; c++)
    for (let e = 0; e < channels; e++)
      for (let n = 0; n < count; n++)
        products[c * channels + e]! += x[c * count + n]! * x[e * count + n]!
  const norms = Array.from({ length: channels }, (_, c) => Math.sqrt(products[c * channels + c]!))
  const scores = products.map((product, at) => {
    const norm = norms[Math.floor(at / channels)]! * norms[at % channels]!
    return norm > 0 ? (sharpness * product) / norm : 0
  })
  return reference.softmax(scores, channels)
}

/** out[n, c] = sum_e weights[c, e] x[e, n]. */
function mixed(
  weights: Float64Array,
  x: ArrayLike<number>,
  count: number,
  channels: number,
): Float64Array {
  const out = new Float64Array(count * channels)
  for (let n = 0; n < count; n++)
    for (let c = 0; c < channels; c++)
      for (let e = 0; e < channels; e++)
        out[n * channels + c]! += weights[c * channels + e]! * x[e * count + n]!
  return out
}
