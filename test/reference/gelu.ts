// Hendrycks & Gimpel 2016, the exact form: x Phi(x) = x (1 + erf(x / sqrt 2)) / 2.
import { float64, geluOf } from './maths.ts'
import type { Reference } from './reference.ts'

export const gelu: Reference = {
  op: 'gelu',
  required: ['x'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors }) {
    const x = tensors.x!
    const out = float64(x.shape)
    x.data.forEach((v, n) => {
      out.data[n] = geluOf(v)
    })
    return { out }
  },
}
