// Softmax over the last axis: p_j = exp(x_j - max x) / sum_k exp(x_k - max x).
import { fromRows, rowsOf, softmaxRow } from './maths.ts'
import type { Reference } from './reference.ts'

export const softmax: Reference = {
  op: 'softmax',
  required: ['x'],
  takesWeights: false,
  always: ['out'],
  isBatched: (_, { shape }) => shape.length > 1,
  compute({ tensors }) {
    const x = tensors.x!
    return {
      out: fromRows(
        rowsOf(x).map(row => softmaxRow(row).weights),
        x.shape,
      ),
    }
  },
}
