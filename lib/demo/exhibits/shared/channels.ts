// Channels that attend to channels, in plain float64, and the drawing of which hears which.

import type { Figure } from '../../exhibit.ts'
import { drawPattern } from './draw.ts'
import * as reference from './reference.ts'

/** The temperature of the exhibits: scores are this times the cosine of two channels. */
export const channelSharpness = 8

/** Of a side of a channel's square. */
const pixels = 16

/** Softmax over e of the sharpened cosine of channels c and e, [C, C] in float64. */
export function channelWeights(
  x: ArrayLike<number>,
  count: number,
  channels: number,
): Float64Array {
  const products = new Float64Array(channels * channels)
  for (let c = 0; c < channels; c++)
    for (let e = 0; e < channels; e++)
      for (let n = 0; n < count; n++)
        products[c * channels + e]! += x[c * count + n]! * x[e * count + n]!
  const norms = Array.from({ length: channels }, (_, c) => Math.sqrt(products[c * channels + c]!))
  const scores = products.map((product, at) => {
    const norm = norms[Math.floor(at / channels)]! * norms[at % channels]!
    return norm > 0 ? (channelSharpness * product) / norm : 0
  })
  return reference.softmax(scores, channels)
}

/** out[n, c] = sum_e weights[c, e] x[e, n]. */
export function mixed(
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

/** A line a query channel, a column a key channel: marked where it takes more than an even share. */
export function hearing(weights: Float64Array): Figure {
  const channels = Math.sqrt(weights.length)
  // Of the keys that a channel sees at all: its own head.
  const even = (c: number): number => {
    const row = weights.subarray(c * channels, (c + 1) * channels)
    return 1 / row.filter(weight => weight > 0).length
  }
  const hears = (y: number, x: number): boolean => {
    const c = Math.floor(y / pixels)
    return weights[c * channels + Math.floor(x / pixels)]! > even(c)
  }
  return {
    title: 'Which channels hear which',
    caption: 'Marked where a channel, a line, takes more than an even share of another, a column.',
    panels: [
      {
        label: 'a line a query channel, a column a key channel',
        picture: drawPattern(channels * pixels, hears),
      },
    ],
  }
}
