import { attentionGateSameSize, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { beforeAndBehind, gated, gatedMap, positionHeat } from './shared/gates.ts'
import { biasOf, convolution, norm, sigmoid } from './shared/handmade.ts'

const gain = 8
const offset = -2

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'Two maps decide together: a place passes where what is looked for in one and in the other comes to more than is ordinary.',
  show(photo, bench) {
    const { x, count, channels, means, out } = gatedMap(photo)
    const { channels: names, rows, columns } = photo.map
    // The gating map is x itself here; its last channel is asked for, and the first of x.
    const only = (c: number): Float64Array =>
      Float64Array.from({ length: channels }, (_, i) => +(i === c))
    const last = channels - 1
    const centre = means[0]! + means[last]!
    const weights = {
      ...convolution('W_g.0.conv', [only(last)]),
      ...biasOf('W_g.0.conv', 1),
      ...norm('W_g.1', 1),
      ...convolution('W_x.0.conv', [only(0)]),
      ...biasOf('W_x.0.conv', 1),
      ...norm('W_x.1', 1, { centre }),
      ...convolution('psi.0.conv', [[gain]]),
      ...biasOf('psi.0.conv', 1),
      ...norm('psi.1', 1, { shift: offset }),
    }
    const into = { out, attention: tensor(new Float32Array(count), [1, 1, rows, columns]) }
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: 5 * x.data.length,
      run: () => attentionGateSameSize(x, x, weights, { into }),
      output: ({ out }) => out,
      expected: () =>
        gated(
          x.data,
          (_, p) => {
            const both = x.data[p]! + x.data[last * count + p]! - centre
            return sigmoid(gain * Math.max(both, 0) + offset)
          },
          count,
        ),
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'Where both are high',
          caption: `The gate of each position: ${names[0]!} in one map, ${names[last]!} in the other.`,
          panels: [positionHeat(photo, 'the gate', result.attention.data)],
        },
        beforeAndBehind(photo, result.out.data, 'Elsewhere about a tenth is left.'),
      ],
    }
  },
}
