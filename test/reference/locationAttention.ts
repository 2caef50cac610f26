// Luong et al. 2015 eq. 8: a_t = softmax(W_a h_t), cut to the keys there are.
import { lengthsOf } from './grid.ts'
import { affine } from './maths.ts'
import type { Reference } from './reference.ts'
import { singleHead } from './singleHead.ts'

export const locationAttention: Reference = {
  op: 'locationAttention',
  required: ['query', 'value'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights }) {
    const { query, value, keyLengths } = tensors
    const lengths = lengthsOf(query!.shape[0]!, value!.shape[1]!, keyLengths)
    return singleHead(query!, value!, lengths, (q, _, n) => affine(q, weights.W!).slice(0, n))
  },
}
