// RGA-C (Zhang et al. 2020): relation-aware attention over channels.
import type { Reference } from './reference.ts'
import { rgaByChannel } from './rgaModule.ts'

export const rgaChannel: Reference = {
  op: 'rgaChannel',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { bnEps = 1e-5 } = params as { bnEps?: number }
    return rgaByChannel(tensors.x!, weights, bnEps)
  },
}
