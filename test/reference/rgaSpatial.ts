// RGA-S (Zhang et al. 2020): relation-aware attention over positions.
import type { Reference } from './reference.ts'
import { rgaSpatially } from './rgaModule.ts'

export const rgaSpatial: Reference = {
  op: 'rgaSpatial',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { bnEps = 1e-5 } = params as { bnEps?: number }
    return rgaSpatially(tensors.x!, weights, bnEps)
  },
}
