import { residualAttention, tensor } from '../../index.ts'
import { functionFlops } from '../bench.ts'
import type { Exhibit, Figure } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import { sigmoid, stretched } from './shared/handmade.ts'

type Kind = 'mixed' | 'channel' | 'spatial'

const shown = 'blue to yellow'
const captions: Readonly<Record<Kind, string>> = {
  mixed: 'Every reading for itself: a channel is strengthened wherever it is strong.',
  channel:
    'A position shares what it has among its channels: light where this one outweighs the rest.',
  spatial:
    'Each channel is judged by its own mean and spread over the picture: its peaks alone stand out.',
}

/** The mask of every element, [channels, count]. */
function maskOf(kind: Kind, logits: Float32Array, count: number): Float64Array {
  const channels = logits.length / count
  if (kind === 'mixed') return Float64Array.from(logits, sigmoid)
  const mask = new Float64Array(logits.length)
  for (let at = 0; at < logits.length; at++) {
    const [c, p] = [Math.floor(at / count), at % count]
    if (kind === 'channel' && c === 0) {
      let squares = 0
      for (let k = 0; k < channels; k++) squares += logits[k * count + p]! ** 2
      const length = Math.max(Math.sqrt(squares), 1e-12)
      for (let k = 0; k < channels; k++) mask[k * count + p] = logits[k * count + p]! / length
    } else if (kind === 'spatial' && p === 0) {
      const plane = logits.subarray(at, at + count)
      const mean = plane.reduce((sum, v) => sum + v / count, 0)
      const variance = plane.reduce((sum, v) => sum + (v - mean) ** 2 / count, 0)
      for (let k = 0; k < count; k++)
        mask[at + k] = sigmoid((plane[k]! - mean) / Math.sqrt(variance + 1e-5))
    }
  }
  return mask
}

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'A mask can strengthen what the trunk found, and never wipe it out: out = (1 + mask) × trunk. Three ways to make one.',
  show({ map, picture }, bench) {
    const trunk = map.tensor
    const count = map.rows * map.columns
    const channel = Math.max(map.channels.indexOf(shown), 0)
    const logits = tensor(
      Float32Array.from(trunk.data, v => 8 * (v - 0.5)),
      trunk.shape,
    )
    const shows = (['mixed', 'channel', 'spatial'] as const).map(activation => {
      const into = {
        out: tensor(new Float32Array(trunk.data.length), trunk.shape),
        mask: tensor(new Float32Array(trunk.data.length), trunk.shape),
      }
      const mask = maskOf(activation, logits.data as Float32Array, count)
      const { result, row } = bench.measure({
        label: activation,
        shape: trunk.shape.join('×'),
        flops: (functionFlops + 2) * trunk.data.length,
        run: () => residualAttention(trunk, logits, { activation, into }),
        output: ({ out }) => out,
        expected: () => mask.map((m, at) => (1 + m) * trunk.data[at]!),
      })
      const own = result.mask.data.subarray(channel * count, (channel + 1) * count)
      const figure: Figure = {
        title: `The ${activation} mask`,
        caption: captions[activation],
        panels: [
          {
            label: `mask of the channel ${map.channels[channel]!}`,
            picture: drawHeat(picture, map, stretched(own)),
          },
        ],
      }
      return { row, figure }
    })
    return { rows: shows.map(({ row }) => row), figures: shows.map(({ figure }) => figure) }
  },
}
