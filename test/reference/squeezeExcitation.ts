// Hu et al. 2018 eqs. 2-4: pool, two small layers, a gate for every channel.
import { affineNamed, mapped, pooled, rectified } from './featureMap.ts'
import { at } from './grid.ts'
import { hardSigmoid, sigmoid } from './maths.ts'
import type { Reference } from './reference.ts'

export const squeezeExcitation: Reference = {
  op: 'squeezeExcitation',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const x = tensors.x!
    const { gate: gateKind = 'sigmoid', activation = 'relu' } = params
    const squeezed = affineNamed(pooled(x), weights, 'fc1')
    const active =
      activation === 'relu' ? rectified(squeezed) : mapped(squeezed, v => v * sigmoid(v))
    const gate = mapped(
      affineNamed(active, weights, 'fc2'),
      gateKind === 'sigmoid' ? sigmoid : hardSigmoid,
    )
    return { out: mapped(x, (v, [b, c]) => v * at(gate, b!, c!)), gate }
  },
}
