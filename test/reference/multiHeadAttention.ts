// torch.nn.MultiheadAttention, batch first: one projection for q, k and v, heads, one projection out.

import { sliceAxis } from '../support/tensors.ts'
import { attend, attendRow, indices, joinHeads, lengthsOf, row, set, splitHeads } from './grid.ts'
import { affineOver, dot, float64, range } from './maths.ts'
import type { Reference } from './reference.ts'

export const multiHeadAttention: Reference = {
  op: 'multiHeadAttention',
  required: ['query', 'key', 'value'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { keyLengths } = tensors
    const { heads, causal = false } = params as { heads: number; causal?: boolean }
    const { in_proj_weight: inWeight, in_proj_bias: inBias } = weights
    const E = inWeight!.shape[1]!
    const projected = (name: string, third: number): ReturnType<typeof splitHeads> => {
      const rows = [third * E, (third + 1) * E] as const
      const bias = inBias && sliceAxis(inBias, 0, ...rows)
      return splitHeads(affineOver(tensors[name]!, sliceAxis(inWeight!, 0, ...rows), bias), heads)
    }
    const query = projected('query', 0)
    const key = projected('key', 1)
    const value = projected('value', 2)
    const [B, , Lq, D] = query.shape as [number, number, number, number]
    const Lk = key.shape[2]!
    const lengths = lengthsOf(B, Lk, keyLengths)
    const scale = 1 / Math.sqrt(D)
    const keysOf = (b: number, _: number, i: number): number[] =>
      range(lengths[b]!).filter(j => !causal || j <= i)
    const { out } = attend({ query, key, value }, scale, keysOf)

    const attentionWeights = float64([B, Lq, Lk])
    for (const [b, h, i] of indices([B, heads, Lq]) as Iterable<[number, number, number]>) {
      const keys = keysOf(b, h, i)
      const scores = keys.map(j => scale * dot(row(query, b, h, i), row(key, b, h, j)))
      attendRow(scores, [], 0).weights.forEach((p, n) => {
        const sofar = row(attentionWeights, b, i, keys[n]!)[0]!
        set(attentionWeights, sofar + p / heads, b, i, keys[n]!)
      })
    }
    return {
      out: affineOver(joinHeads(out), weights['out_proj.weight']!, weights['out_proj.bias']),
      attentionWeights,
    }
  },
}
