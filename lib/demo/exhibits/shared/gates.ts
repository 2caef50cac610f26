// What the exhibits of gates over the feature map share: layers written by hand that open what is rare
// in the picture, and the figures that show a gate over the photograph.
import { type Tensor, tensor } from '../../../index.ts'
import type { Figure, Panel } from '../../exhibit.ts'
import type { Photo } from '../../photo/photo.ts'
import { drawHeat } from './draw.ts'
import { meanOverChannels, type Rows, stretched } from './handmade.ts'
import * as reference from './reference.ts'

/** Each number against the mean of all, the smaller the more: gain (mean - v). */
export const rarer = (channels: number, gain: number): Rows =>
  Array.from({ length: channels }, (_, i) =>
    Float64Array.from({ length: channels }, (_, j) => gain * (1 / channels - +(i === j))),
  )

/** The feature map as gates see it. */
export interface GatedMap {
  readonly x: Tensor
  readonly count: number
  readonly channels: number
  /** Of each channel, in float64. */
  readonly means: Float64Array
  /** Memory for an output like x. */
  readonly out: Tensor
}

export function gatedMap({ map }: Photo): GatedMap {
  const x = map.tensor
  const count = map.rows * map.columns
  return {
    x,
    count,
    channels: map.channels.length,
    means: reference.means(x.data, count),
    out: tensor(new Float32Array(x.data.length), x.shape),
  }
}

/** x, each element by its gate, in float64. */
export const gated = (
  x: ArrayLike<number>,
  gate: (channel: number, position: number) => number,
  count: number,
): Float64Array =>
  Float64Array.from(x, (value, at) => value * gate(Math.floor(at / count), at % count))

/** One number a channel. */
export const channelBars = ({ map }: Photo, gate: ArrayLike<number>): Panel => ({
  label: '',
  bars: map.channels.map((name, c) => ({ name, value: gate[c]! })),
})

/** One number a position, as heat over the photograph. */
export const positionHeat = (
  { map, picture }: Photo,
  label: string,
  gate: ArrayLike<number>,
): Panel => ({
  label,
  picture: drawHeat(picture, map, stretched(gate)),
})

/** All channels of the map before a gate and behind it. */
export function beforeAndBehind(photo: Photo, out: ArrayLike<number>, caption: string): Figure {
  const count = photo.map.rows * photo.map.columns
  const strength = (data: ArrayLike<number>): Float64Array => meanOverChannels(data, count)
  return {
    title: 'The map, before and behind the gate',
    caption,
    panels: [
      positionHeat(photo, 'all channels together', strength(photo.map.tensor.data)),
      positionHeat(photo, 'gated', strength(out)),
    ],
  }
}
