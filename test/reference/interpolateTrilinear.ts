// Separable linear interpolation of volumes, as torch.nn.functional.interpolate without anti-aliasing.
import { type PerAxis, resized } from './featureMap.ts'
import type { Reference } from './reference.ts'

export const interpolateTrilinear: Reference = {
  op: 'interpolateTrilinear',
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
