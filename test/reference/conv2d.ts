// Cross-correlation of maps with zero padding, as torch.nn.functional.conv2d.
import { type Convolution, convolved } from './featureMap.ts'
import type { Reference } from './reference.ts'

export const conv2d: Reference = {
  op: 'conv2d',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute: ({ tensors, weights, params }) => ({
    out: convolved(tensors.x!, weights.weight!, weights.bias, params as Convolution),
  }),
}
