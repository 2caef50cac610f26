import { cbam, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import {
  beforeAndBehind,
  channelBars,
  gated,
  gatedMap,
  positionHeat,
  rarer,
} from './shared/gates.ts'
import {
  biasOf,
  identity,
  linearLayer,
  meanOverChannels,
  norm,
  sigmoid,
  times,
} from './shared/handmade.ts'

const gain = 6
const [centre, deviation] = [0.25, 0.05]

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'First what, then where: channels are gated by their mean and their peak, then positions by how far one channel rises above the others.',
  show(photo, bench) {
    const { x, count, channels, means, out } = gatedMap(photo)
    const { rows, columns } = photo.map
    const rare = rarer(channels, gain)
    // The mean of 7 x 7, of the largest channel less the mean of all.
    const kernel = Float32Array.from({ length: 98 }, (_, tap) => (tap < 49 ? 1 : -1) / 49)
    const weights = {
      ...linearLayer('ChannelGate.mlp.1', identity(channels)),
      ...linearLayer('ChannelGate.mlp.3', rare),
      ...biasOf('ChannelGate.mlp.3', channels),
      'SpatialGate.spatial.conv.weight': tensor(kernel, [1, 2, 7, 7]),
      ...norm('SpatialGate.spatial.bn', 1, { centre, deviation }),
    }
    const into = {
      out,
      channelAttention: tensor(new Float32Array(channels), [1, channels]),
      spatialAttention: tensor(new Float32Array(count), [1, 1, rows, columns]),
    }
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: 8 * x.data.length + 196 * count,
      run: () => cbam(x, weights, { into }),
      output: ({ out }) => out,
      expected: () => {
        const peaks = means.map((_, c) =>
          x.data.subarray(c * count, (c + 1) * count).reduce((a, b) => Math.max(a, b)),
        )
        const [ofMeans, ofPeaks] = [times(rare, means), times(rare, peaks)]
        const ofChannels = ofMeans.map((v, c) => sigmoid(v + ofPeaks[c]!))
        const x1 = gated(x.data, c => ofChannels[c]!, count)
        const contrast = meanOverChannels(x1, count).map((mean, p) => {
          let most = Number.NEGATIVE_INFINITY
          for (let c = 0; c < channels; c++) most = Math.max(most, x1[c * count + p]!)
          return most - mean
        })
        const ofPositions = contrast.map((_, p) => {
          const [row, column] = [Math.floor(p / columns), p % columns]
          let sum = 0
          for (let y = Math.max(row - 3, 0); y <= Math.min(row + 3, rows - 1); y++)
            for (let at = Math.max(column - 3, 0); at <= Math.min(column + 3, columns - 1); at++)
              sum += contrast[y * columns + at]! / 49
          return sigmoid((sum - centre) / deviation)
        })
        return gated(x1, (_, p) => ofPositions[p]!, count)
      },
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'The gate of each channel',
          caption: 'What is rare both on the whole and at its strongest opens.',
          panels: [channelBars(photo, result.channelAttention.data)],
        },
        {
          title: 'The gate of each position',
          caption: 'Light where, over 7 × 7 patches, one channel tells more than the others.',
          panels: [positionHeat(photo, 'the gate', result.spatialAttention.data)],
        },
        beforeAndBehind(photo, result.out.data, 'Both gates at once.'),
      ],
    }
  },
}
