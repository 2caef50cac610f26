// The XCA module of XCiT: projections around cross-covariance attention.
import { crossCovariance } from './crossCovarianceAttention.ts'
import { channels, joinHeads, splitHeads } from './grid.ts'
import { affineOver } from './maths.ts'
import type { Reference } from './reference.ts'

export const xcaBlock: Reference = {
  op: 'xcaBlock',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights }) {
    const temperature = weights.temperature!
    const C = tensors.x!.shape[2]!
    const qkv = affineOver(tensors.x!, weights['qkv.weight']!, weights['qkv.bias'])
    const part = (n: number): ReturnType<typeof splitHeads> =>
      splitHeads(channels(qkv, n * C, (n + 1) * C), temperature.shape[0]!)
    const heads = { query: part(0), key: part(1), value: part(2) }
    const out = joinHeads(crossCovariance(heads, temperature.data, 1e-12))
    return { out: affineOver(out, weights['proj.weight']!, weights['proj.bias']) }
  },
}
