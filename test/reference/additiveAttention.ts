// Bahdanau et al. 2015 A.1.2: s_ij = v . tanh(Wq q_i + Wk k_j + b); normalised, v becomes g v / ||v||.
import { lengthsOf, row } from './grid.ts'
import { affine, affineOver, dot, range, toUnit } from './maths.ts'
import type { Reference } from './reference.ts'
import { singleHead } from './singleHead.ts'

export const additiveAttention: Reference = {
  op: 'additiveAttention',
  required: ['query', 'key', 'value'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { query, key, value, keyLengths } = tensors
    const { Wq, Wk, v, b: bias, g } = weights
    const { normalize = false } = params as { normalize?: boolean }
    const energy = normalize ? toUnit(v!.data, 0).map(e => g!.data[0]! * e) : Array.from(v!.data)
    const keys = affineOver(key!, Wk!)
    const lengths = lengthsOf(query!.shape[0]!, key!.shape[1]!, keyLengths)
    return singleHead(query!, value!, lengths, (q, b, length) => {
      const projected = affine(q, Wq!, bias)
      return range(length).map(j => {
        const k = row(keys, b, j)
        return dot(
          energy,
          projected.map((p, a) => Math.tanh(p + k[a]!)),
        )
      })
    })
  },
}
