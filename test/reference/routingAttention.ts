// Routing Transformer (Roy et al. 2021) Algorithm 1: each centroid takes its nearest tokens, attention
// is dense inside a cluster, and a token's outputs are averaged over the clusters that chose it.
import { attendRow, indices, row, setRow } from './grid.ts'
import { ranked } from './kmeansAssign.ts'
import { dot, float64, normalized, range, toUnit } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly clusters?: number
  readonly windowSize: number
  readonly causal?: boolean
  readonly sharedQK?: boolean
  readonly normalization?: 'l2' | 'layer'
  readonly attendWith?: 'raw' | 'normalizedKeys' | 'normalized'
  readonly maskSelf?: boolean
  readonly scale?: number
  readonly meanEps: number
}

export const routingAttention: Reference = {
  op: 'routingAttention',
  required: ['query', 'key', 'value', 'centroids'],
  takesWeights: false,
  always: ['out'],
  isBatched: name => name !== 'centroids',
  compute({ tensors, params }) {
    const { query, value, centroids } = tensors
    const [B, H, L, D] = query!.shape as [number, number, number, number]
    const Dv = value!.shape[3]!
    const {
      windowSize,
      causal = false,
      sharedQK = false,
      normalization = 'l2',
      attendWith = sharedQK ? 'normalizedKeys' : 'raw',
      maskSelf = sharedQK,
      scale = 1 / Math.sqrt(D),
      meanEps,
    } = params as unknown as Params
    const key = sharedQK ? query! : tensors.key!
    const normal = (x: ArrayLike<number>): number[] =>
      normalization === 'l2' ? toUnit(x) : normalized(Array.from(x), 1e-6)

    const out = float64([B, H, L, Dv])
    for (const [b, h] of indices([B, H]) as Iterable<[number, number]>) {
      const raw = (tensor: typeof key): number[][] =>
        range(L).map(i => Array.from(row(tensor, b, h, i)))
      const [q, k] = [raw(query!), raw(key)]
      const [nq, nk] = [q.map(normal), k.map(normal)]
      const left = attendWith === 'normalized' ? nq : q
      const right = attendWith === 'raw' ? k : nk
      const totals = range(L).map(() => new Array<number>(Dv).fill(0))
      const counts = range(L).map(() => 0)
      for (let c = 0; c < centroids!.shape[1]!; c++) {
        const centroid = row(centroids!, h, c)
        const nearest = (points: readonly number[][]): number[] =>
          ranked(points.map(p => dot(p, centroid)))
            .slice(0, windowSize)
            .sort((a, b) => a - b)
        const keys = nearest(nk)
        for (const i of nearest(nq)) {
          let visible = keys.filter(j => !causal || j <= i)
          const others = visible.filter(j => j !== i)
          if (maskSelf && others.length > 0) visible = others
          const scores = visible.map(j => scale * dot(left[i]!, right[j]!))
          const values = visible.map(j => row(value!, b, h, j))
          attendRow(scores, values, Dv).out.forEach((v, d) => {
            totals[i]![d]! += v
          })
          counts[i]!++
        }
      }
      for (let i = 0; i < L; i++) {
        const share = counts[i] === 0 ? 0 : 1 / (counts[i]! + meanEps)
        setRow(
          out,
          totals[i]!.map(v => v * share),
          b,
          h,
          i,
        )
      }
    }
    return { out }
  },
}
