import { effectiveSqueezeExcitation, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { beforeAndBehind, channelBars, gated, gatedMap, rarer } from './shared/gates.ts'
import { biasOf, convolution, times } from './shared/handmade.ts'

const gain = 12

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'One layer instead of two, and straight lines instead of a curve: the gate of a channel can close for good.',
  show(photo, bench) {
    const { x, count, channels, means, out } = gatedMap(photo)
    const rows = rarer(channels, gain)
    const weights = { ...convolution('fc', rows), ...biasOf('fc', channels) }
    const into = { out, gate: tensor(new Float32Array(channels), [1, channels]) }
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: 2 * x.data.length + 2 * channels ** 2,
      run: () => effectiveSqueezeExcitation(x, weights, { into }),
      output: ({ out }) => out,
      expected: () => {
        const gate = times(rows, means).map(v => Math.min(Math.max(v + 3, 0), 6) / 6)
        return gated(x.data, c => gate[c]!, count)
      },
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'The gate of each channel',
          caption: 'A half for a channel like the mean of all, more for what is rarer.',
          panels: [channelBars(photo, result.gate.data)],
        },
        beforeAndBehind(photo, result.out.data, 'Rare channels tell more behind the gate.'),
      ],
    }
  },
}
