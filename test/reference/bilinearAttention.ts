// Bilinear attention (Fang et al. 2019): second-order features of each position, gated by an attention
// that is itself attended to.
import type { Dense } from '../support/tensors.ts'
import {
  affineNamed,
  batchNormed,
  convolvedBy,
  mapped,
  pooled,
  rectified,
  spatialOf,
} from './featureMap.ts'
import { at, indices, set } from './grid.ts'
import { type Dense64, float64, range, sigmoid } from './maths.ts'
import type { Reference } from './reference.ts'

/** Upper triangle of r r^T at each position, diagonal by diagonal. */
function outerProducts(r: Dense): Dense64 {
  const [B, m] = r.shape as [number, number]
  const pairs = range(m).flatMap(d => range(m - d).map(j => [j, j + d] as const))
  const out = float64([B, pairs.length, ...spatialOf(r)])
  for (const index of indices(out.shape)) {
    const [b, c, ...p] = index as [number, number, ...number[]]
    const [j, k] = pairs[c]!
    set(out, at(r, b, j, ...p) * at(r, b, k, ...p), ...index)
  }
  return out
}

export const bilinearAttention: Reference = {
  op: 'bilinearAttention',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const x = tensors.x!
    const { kernel = 'bilinear', bnEps = 1e-5 } = params as { kernel?: string; bnEps?: number }
    const bilinear = kernel === 'bilinear'
    const layer = (p: string, y: Dense): Dense64 =>
      rectified(batchNormed(y, weights, `${p}.conv.bn.`, bnEps))
    const onMap = (p: string, v: Dense): Dense64 =>
      layer(p, convolvedBy(v, weights, `${p}.conv.conv`))

    const r = onMap('dimReduceLayer1', x)
    const z = bilinear ? outerProducts(r) : r
    const inner = bilinear ? 'dimReduceLayer3' : 'dimIncreaseLayer1'
    const outer = bilinear ? 'dimReduceLayer2' : 'dimIncreaseLayer2'
    const c = layer(inner, affineNamed(pooled(z), weights, `${inner}.conv.conv`))
    const v = onMap(outer, z)
    const attention = mapped(v, (value, [b, o]) => sigmoid(at(c, b!, o!) * value))
    return { attention, out: mapped(x, (value, index) => value * at(attention, ...index)) }
  },
}
