// Separable linear interpolation of maps, as torch.nn.functional.interpolate without anti-aliasing.
import { type PerAxis, resized } from './featureMap.ts'
import type { Reference } from './reference.ts'

export const interpolateBilinear: Reference = {
  op: 'interpolateBilinear',
  required: ['x'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, params }) {
    const { size, alignCorners = false } = params as unknown as {
      size: PerAxis
      alignCorners?: boolean
    }
    return { out: resized(tensors.x!, size, alignCorners) }
  },
}
