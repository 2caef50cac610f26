import { tensor, xcaBlock } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { channelSharpness, channelWeights, hearing, mixed } from './shared/channels.ts'
import { beforeAndBehind, gatedMap } from './shared/gates.ts'
import { identity, linearLayer } from './shared/handmade.ts'

const heads = 2

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Cross-covariance attention as the layer of a network, with two heads: the first eight readings are mixed among themselves, and the other eight. Here its projections change nothing.',
  show(photo, bench) {
    const { x, count, channels } = gatedMap(photo)
    const size = channels / heads
    const tokens = tensor(x.data, [1, count, channels], { strides: [0, 1, count] })
    const one = identity(channels)
    const weights = {
      temperature: tensor(new Float32Array(heads).fill(channelSharpness), [heads, 1, 1]),
      ...linearLayer('qkv', [...one, ...one, ...one]),
      ...linearLayer('proj', one),
    }
    const ofHeads = Array.from({ length: heads }, (_, head) => {
      const own = x.data.subarray(head * size * count, (head + 1) * size * count)
      const shares = channelWeights(own, count, size)
      return { shares, out: mixed(shares, own, count, size) }
    })
    const all = new Float64Array(channels * channels)
    for (const [head, { shares }] of ofHeads.entries())
      for (const [at, share] of shares.entries())
        all[(head * size + Math.floor(at / size)) * channels + head * size + (at % size)] = share
    const { result, row } = bench.measure({
      label: 'feature map, with its projections',
      shape: `1×${count}×${channels}, ${heads} heads`,
      flops: 8 * count * channels ** 2 + 4 * count * channels * size,
      run: () => xcaBlock(tokens, weights).out,
      output: out => out,
      expected: () =>
        Float64Array.from(
          { length: count * channels },
          (_, at) =>
            ofHeads[Math.floor((at % channels) / size)]!.out[
              Math.floor(at / channels) * size + (at % size)
            ]!,
        ),
    })
    const behind = x.data.map(
      (_, at) => result.data[(at % count) * channels + Math.floor(at / count)]!,
    )
    return {
      rows: [row],
      figures: [
        hearing(all),
        beforeAndBehind(photo, behind, 'What several channels of a head agree on remains.'),
      ],
    }
  },
}
