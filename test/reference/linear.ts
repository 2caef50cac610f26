// y = x W^T + b over the last axis; W is [out, in].
import { affineOver } from './maths.ts'
import type { Reference } from './reference.ts'

export const linear: Reference = {
  op: 'linear',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: (_, x) => x.shape.length > 1,
  compute: ({ tensors, weights }) => ({
    out: affineOver(tensors.x!, weights.weight!, weights.bias),
  }),
}
