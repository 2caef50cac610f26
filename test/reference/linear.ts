// y = x W^T + b over the last axis; W is [out, in].
import { affine, fromRows, rowsOf } from './maths.ts'
import type { Reference } from './reference.ts'

export const linear: Reference = {
  op: 'linear',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights }) {
    const x = tensors.x!
    const { weight, bias } = weights
    const rows = rowsOf(x).map(row => affine(row, weight!, bias))
    return { out: fromRows(rows, [...x.shape.slice(0, -1), weight!.shape[0]!]) }
  },
}
