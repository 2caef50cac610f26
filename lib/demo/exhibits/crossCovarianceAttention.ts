import { crossCovarianceAttention, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { channelSharpness, channelWeights, hearing, mixed } from './shared/channels.ts'
import { beforeAndBehind, gatedMap } from './shared/gates.ts'

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
    const temperature = tensor(Float32Array.of(channelSharpness), [1])
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
    return {
      rows: [row],
      figures: [
        hearing(weights),
        beforeAndBehind(photo, result.data, 'What several channels agree on remains.'),
      ],
    }
  },
}
