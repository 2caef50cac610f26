// Cross-correlation of volumes with zero padding, as torch.nn.functional.conv3d.
import { type Convolution, convolved } from './featureMap.ts'
import type { Reference } from './reference.ts'

export const conv3d: Reference = {
  op: 'conv3d',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute: ({ tensors, weights, params }) => ({
    out: convolved(tensors.x!, weights.weight!, weights.bias, params as Convolution),
  }),
}
