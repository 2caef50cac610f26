// Attention U-Net (Oktay et al. 2018) eqs. 1-2 as the authors' grid attention block has it.
import { sizeOf } from '../support/tensors.ts'
import {
  batchNormed,
  convolved,
  convolvedBy,
  mapped,
  resized,
  spatialOf,
  zipped,
} from './featureMap.ts'
import { at } from './grid.ts'
import { float64, relu, rowsOf, sigmoid, softmaxRow } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly mode?: 'concatenation' | 'concatenation_debug' | 'concatenation_residual'
  readonly alignCorners?: boolean
  readonly bnEps?: number
}

const softplus = (v: number): number => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)))

export const attentionGate: Reference = {
  op: 'attentionGate',
  required: ['x', 'gating'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { x, gating } = tensors
    const { mode = 'concatenation', alignCorners = false, bnEps = 1e-5 } = params as Params
    const theta = weights['theta.weight']!
    const t = convolved(x!, theta, undefined, { stride: spatialOf(theta) })
    const g = resized(convolvedBy(gating!, weights, 'phi'), spatialOf(t), alignCorners)
    const f = zipped((a, b) => (mode === 'concatenation_debug' ? softplus : relu)(a + b), t, g)
    const q = convolvedBy(f, weights, 'psi')
    let a = mapped(q, sigmoid)
    if (mode === 'concatenation_residual') {
      a = float64(q.shape)
      const grids = rowsOf({ data: q.data, shape: [q.shape[0]!, sizeOf(q.shape.slice(1))] })
      a.data.set(grids.flatMap(grid => softmaxRow(grid).weights))
    }
    const attention = resized(a, spatialOf(x!), alignCorners)
    const gated = mapped(x!, (v, [b, , ...p]) => v * at(attention, b!, 0, ...p))
    const out = batchNormed(convolvedBy(gated, weights, 'W.0'), weights, 'W.1.', bnEps)
    return { out, attention }
  },
}
