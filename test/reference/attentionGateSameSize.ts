// The gate of Attention U-Net where gating and x have one size, as MONAI's AttentionBlock.

import type { Dense } from '../support/tensors.ts'
import { added, batchNormed, convolvedBy, mapped, rectified } from './featureMap.ts'
import { at } from './grid.ts'
import { type Dense64, sigmoid } from './maths.ts'
import type { Reference } from './reference.ts'

export const attentionGateSameSize: Reference = {
  op: 'attentionGateSameSize',
  required: ['x', 'gating'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { x, gating } = tensors
    const { bnEps = 1e-5 } = params as { bnEps?: number }
    const projected = (v: Dense, p: string): Dense64 =>
      batchNormed(convolvedBy(v, weights, `${p}.0.conv`), weights, `${p}.1.`, bnEps)
    const f = rectified(added(projected(gating!, 'W_g'), projected(x!, 'W_x')))
    const attention = mapped(projected(f, 'psi'), sigmoid)
    return { out: mapped(x!, (v, [b, , ...p]) => v * at(attention, b!, 0, ...p)), attention }
  },
}
