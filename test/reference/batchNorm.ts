// Ioffe & Szegedy 2015 at inference: running statistics, then scale and shift by channel.
import { batchNormed } from './featureMap.ts'
import type { Reference } from './reference.ts'

export const batchNorm: Reference = {
  op: 'batchNorm',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { eps = 1e-5 } = params as { eps?: number }
    return { out: batchNormed(tensors.x!, weights, '', eps) }
  },
}
