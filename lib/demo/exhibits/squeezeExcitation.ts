import { squeezeExcitation, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { beforeAndBehind, channelBars, gated, gatedMap, rarer } from './shared/gates.ts'
import { biasOf, identity, linearLayer, sigmoid, times } from './shared/handmade.ts'

const gain = 12
const closed = -1

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'Every channel is heard as a whole and turned up or down as a whole: here, what there is little of in the picture is turned up.',
  show(photo, bench) {
    const { x, count, channels, means, out } = gatedMap(photo)
    const first = rarer(channels, gain)
    const weights = {
      ...linearLayer('fc1', first),
      ...linearLayer('fc2', identity(channels)),
      ...biasOf('fc2', channels, closed),
    }
    const into = { out, gate: tensor(new Float32Array(channels), [1, channels]) }
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: 2 * x.data.length + 4 * channels ** 2,
      run: () => squeezeExcitation(x, weights, { into }),
      output: ({ out }) => out,
      expected: () => {
        const gate = times(first, means).map(v => sigmoid(Math.max(v, 0) + closed))
        return gated(x.data, c => gate[c]!, count)
      },
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'The gate of each channel',
          caption: 'Near 1 what is rare in this picture; what fills it is held back.',
          panels: [channelBars(photo, result.gate.data)],
        },
        beforeAndBehind(photo, result.out.data, 'Places that are strong in rare channels remain.'),
      ],
    }
  },
}
