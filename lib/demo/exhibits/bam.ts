import { bam, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { beforeAndBehind, gated, gatedMap, positionHeat, rarer } from './shared/gates.ts'
import {
  biasOf,
  convolution,
  linearLayer,
  meanOverChannels,
  norm,
  sigmoid,
  times,
} from './shared/handmade.ts'

const [gain, contrast, offset] = [8, 24, -2]
const dilation = 4

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'A branch for what there is and a branch for where it is, added up: rare channels, and places unlike those four patches away.',
  show(photo, bench) {
    const { x, count, channels, means, out } = gatedMap(photo)
    const { rows, columns } = photo.map
    const [c, s] = ['channel_att.gate_c.gate_c', 'spatial_att.gate_s.gate_s']
    const rare = rarer(channels, gain)
    const star = Float32Array.from({ length: 9 }, (_, tap) => (tap === 4 ? 1 : -1 / 8))
    const weights = {
      ...linearLayer(`${c}_fc_final`, rare),
      ...convolution(`${s}_conv_reduce0`, [new Array<number>(channels).fill(1 / channels)]),
      ...biasOf(`${s}_conv_reduce0`, 1),
      ...norm(`${s}_bn_reduce0`, 1),
      [`${s}_conv_di_0.weight`]: tensor(star, [1, 1, 3, 3]),
      ...biasOf(`${s}_conv_di_0`, 1),
      ...norm(`${s}_bn_di_0`, 1),
      ...convolution(`${s}_conv_final`, [[contrast]]),
      ...biasOf(`${s}_conv_final`, 1, offset),
    }
    const into = { out, attention: tensor(new Float32Array(x.data.length), x.shape) }
    const { result, row } = bench.measure({
      label: 'feature map, branches added',
      shape: x.shape.join('×'),
      flops: 6 * x.data.length,
      run: () => bam(x, weights, { combine: 'add', into }),
      output: ({ out }) => out,
      expected: () => {
        const ofChannels = times(rare, means)
        const strength = meanOverChannels(x.data, count)
        const at = (row: number, column: number): number =>
          row < 0 || row >= rows || column < 0 || column >= columns
            ? 0
            : strength[row * columns + column]!
        const ofPositions = strength.map((value, p) => {
          const [row, column] = [Math.floor(p / columns), p % columns]
          let around = -value
          for (const down of [-dilation, 0, dilation])
            for (const across of [-dilation, 0, dilation]) around += at(row + down, column + across)
          return contrast * Math.max(value - around / 8, 0) + offset
        })
        return gated(x.data, (c, p) => 1 + sigmoid(ofChannels[c]! + ofPositions[p]!), count)
      },
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'Both branches in one gate',
          caption:
            'The gate of every channel at every position; here the mean over the channels. What lies beyond the edge counts as dark, so edges stand out.',
          panels: [positionHeat(photo, 'the gate', meanOverChannels(result.attention.data, count))],
        },
        beforeAndBehind(photo, result.out.data, 'Nothing is taken away: a gate of 0 leaves x.'),
      ],
    }
  },
}
