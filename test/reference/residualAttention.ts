// Wang et al. 2017 eq. 3, out = (1 + M) T, with the mask activations of eqs. 4-6.
import { type Dense, sizeOf } from '../support/tensors.ts'
import { mapped, planes, spatialOf, zipped } from './featureMap.ts'
import { type Dense64, float64, normalized, range, sigmoid, toUnit } from './maths.ts'
import type { Reference } from './reference.ts'

/** Eq. 5: each position's vector of channels divided by its length. */
function acrossChannels(m: Dense, eps: number): Dense64 {
  const [B, C] = m.shape as [number, number]
  const area = sizeOf(spatialOf(m))
  const out = float64(m.shape)
  for (let b = 0; b < B; b++) {
    for (let p = 0; p < area; p++) {
      const where = range(C).map(c => (b * C + c) * area + p)
      toUnit(
        where.map(n => m.data[n]!),
        eps,
      ).forEach((v, c) => {
        out.data[where[c]!] = v
      })
    }
  }
  return out
}

/** Eq. 6: each channel standardised over its positions, then a sigmoid. */
function acrossPositions(m: Dense, eps: number): Dense64 {
  const out = float64(m.shape)
  out.data.set(planes(m).flatMap(plane => normalized(plane, eps).map(sigmoid)))
  return out
}

export const residualAttention: Reference = {
  op: 'residualAttention',
  required: ['trunk', 'maskLogits'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, params }) {
    const m = tensors.maskLogits!
    const { activation = 'mixed', eps } = params as { activation?: string; eps?: number }
    let mask = mapped(m, sigmoid)
    if (activation === 'channel') mask = acrossChannels(m, eps ?? 1e-12)
    if (activation === 'spatial') mask = acrossPositions(m, eps ?? 1e-5)
    return { mask, out: zipped((t, a) => (1 + a) * t, tensors.trunk!, mask) }
  },
}
