// eSE (Lee & Park 2020): one layer without reduction, a gate for every channel.
import { affineNamed, mapped, pooled } from './featureMap.ts'
import { at } from './grid.ts'
import { hardSigmoid, sigmoid } from './maths.ts'
import type { Reference } from './reference.ts'

export const effectiveSqueezeExcitation: Reference = {
  op: 'effectiveSqueezeExcitation',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const x = tensors.x!
    const { gate: gateKind = 'hardSigmoid' } = params
    const gate = mapped(
      affineNamed(pooled(x), weights, 'fc'),
      gateKind === 'sigmoid' ? sigmoid : hardSigmoid,
    )
    return { out: mapped(x, (v, [b, c]) => v * at(gate, b!, c!)), gate }
  },
}
