// Ba et al. 2016: each row minus its mean, over the root of its population variance plus eps.
import { layerNormOver } from './maths.ts'
import type { Reference } from './reference.ts'

export const layerNorm: Reference = {
  op: 'layerNorm',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: (_, { shape }) => shape.length > 1,
  compute({ tensors, weights, params }) {
    const { eps = 1e-5 } = params as { eps?: number }
    return { out: layerNormOver(tensors.x!, eps, weights.weight, weights.bias) }
  },
}
