// Ba et al. 2016: each row minus its mean, over the root of its population variance plus eps.
import { fromRows, normalized, rowsOf } from './maths.ts'
import type { Reference } from './reference.ts'

export const layerNorm: Reference = {
  op: 'layerNorm',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const x = tensors.x!
    const { weight, bias } = weights
    const { eps = 1e-5 } = params as { eps?: number }
    const rows = rowsOf(x).map(row =>
      normalized(row, eps).map((v, i) => (weight ? v * weight.data[i]! + bias!.data[i]! : v)),
    )
    return { out: fromRows(rows, x.shape) }
  },
}
