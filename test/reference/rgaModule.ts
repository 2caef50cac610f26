// Relation-aware global attention (Zhang et al. 2020) eqs. 1-3, over positions, then over channels.
import type { Dense, Inputs } from '../support/tensors.ts'
import { batchNormed, convolvedBy, mapped, rectified, spatialOf } from './featureMap.ts'
import { at, indices, permuted, reshaped, row, set, setRow } from './grid.ts'
import { type Dense64, dot, float64, sigmoid, sum } from './maths.ts'
import type { Reference } from './reference.ts'

type Weights = Inputs['weights']

/**
 * The attention of every node, [B, nodes], from features [B, F, nodes]: pairwise relations of all
 * nodes, stacked in both directions, beside the node's own mean feature.
 */
function relationAttention(
  features: Dense,
  weights: Weights,
  suffix: string,
  eps: number,
): Dense64 {
  const [B, F, nodes] = features.shape as [number, number, number]
  const map = reshaped(features, [B, F, nodes, 1])
  const embedded = (name: string, v: Dense): Dense64 => {
    const p = `${name}_${suffix}`
    return rectified(batchNormed(convolvedBy(v, weights, `${p}.0`), weights, `${p}.1.`, eps))
  }
  const nodesFirst = (v: Dense): Dense64 =>
    permuted(reshaped(v, [B, v.shape[1]!, nodes]), [0, 2, 1])
  const theta = nodesFirst(embedded('theta', map))
  const phi = nodesFirst(embedded('phi', map))
  const relations = float64([B, 2 * nodes, nodes, 1])
  for (const [b, p, k] of indices([B, nodes, nodes]) as Iterable<[number, number, number]>) {
    const G = dot(row(theta, b, p), row(phi, b, k))
    set(relations, G, b, k, p, 0) // G[p, k] is entry k of node p
    set(relations, G, b, nodes + p, k, 0) // and entry nodes + p of node k
  }
  const R = embedded('gg', relations)
  const own = nodesFirst(embedded('gx', map))
  const joined = float64([B, 1 + R.shape[1]!, nodes, 1])
  for (const [b, c, p] of indices(joined.shape.slice(0, 3)) as Iterable<[number, number, number]>) {
    const features = Array.from(row(own, b, p))
    setRow(joined, [c === 0 ? sum(features) / features.length : at(R, b, c - 1, p, 0)], b, c, p)
  }
  const w = `W_${suffix}`
  const hidden = rectified(
    batchNormed(convolvedBy(joined, weights, `${w}.0`), weights, `${w}.1.`, eps),
  )
  const logits = batchNormed(convolvedBy(hidden, weights, `${w}.3`), weights, `${w}.4.`, eps)
  return reshaped(mapped(logits, sigmoid), [B, nodes]) as Dense64
}

export function rgaSpatially(x: Dense, weights: Weights, eps: number): Record<string, Dense64> {
  const [B, C, ...spatial] = x.shape as [number, number, ...number[]]
  const nodes = spatial.reduce((a, b) => a * b, 1)
  const attention = relationAttention(reshaped(x, [B, C, nodes]), weights, 'spatial', eps)
  const spatialAttention = reshaped(attention, [B, 1, ...spatial]) as Dense64
  const out = mapped(x, (v, [b, , ...p]) => v * at(spatialAttention, b!, 0, ...p))
  return { out, spatialAttention }
}

/** The same with the roles exchanged: positions are the features, channels the nodes. */
export function rgaByChannel(x: Dense, weights: Weights, eps: number): Record<string, Dense64> {
  const [B, C] = x.shape as [number, number]
  const nodes = spatialOf(x).reduce((a, b) => a * b, 1)
  const transposed = permuted(reshaped(x, [B, C, nodes]), [0, 2, 1])
  const channelAttention = relationAttention(transposed, weights, 'channel', eps)
  const out = mapped(x, (v, [b, c]) => v * at(channelAttention, b!, c!))
  return { out, channelAttention }
}

export const rgaModule: Reference = {
  op: 'rgaModule',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const {
      useSpatial = true,
      useChannel = true,
      bnEps = 1e-5,
    } = params as {
      useSpatial?: boolean
      useChannel?: boolean
      bnEps?: number
    }
    const spatial = useSpatial ? rgaSpatially(tensors.x!, weights, bnEps) : { out: tensors.x! }
    return useChannel ? { ...spatial, ...rgaByChannel(spatial.out!, weights, bnEps) } : spatial
  },
}
