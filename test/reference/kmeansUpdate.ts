// lucidrains' k-means step: the normalised mean of the tokens assigned to a centroid, by moving
// average, over the whole batch.
import { at, indices, row, setRow } from './grid.ts'
import { ranked } from './kmeansAssign.ts'
import { dot, float64, range, toUnit } from './maths.ts'
import type { Reference } from './reference.ts'

export const kmeansUpdate: Reference = {
  op: 'kmeansUpdate',
  required: ['x', 'centroids'],
  takesWeights: false,
  always: ['centroids'],
  isBatched: () => false,
  compute({ tensors, params }) {
    const { x, centroids, assignments } = tensors
    const { decay } = params as { decay: number }
    const [B, H, L, D] = x!.shape as [number, number, number, number]
    const K = centroids!.shape[1]!
    const out = float64([H, K, D])
    for (let h = 0; h < H; h++) {
      const sums = range(K).map(() => new Array<number>(D).fill(0))
      const counts = range(K).map(() => 0)
      for (const [b, i] of indices([B, L]) as Iterable<[number, number]>) {
        const token = toUnit(row(x!, b, h, i))
        const cluster =
          assignments === undefined
            ? ranked(range(K).map(c => dot(token, row(centroids!, h, c))))[0]!
            : at(assignments, b, h, i)
        counts[cluster]!++
        token.forEach((v, d) => {
          sums[cluster]![d]! += v
        })
      }
      for (let c = 0; c < K; c++) {
        const old = Array.from(row(centroids!, h, c))
        const target = counts[c]! > 0 ? toUnit(sums[c]!) : old
        setRow(
          out,
          old.map((v, d) => decay * v + (1 - decay) * target[d]!),
          h,
          c,
        )
      }
    }
    return { centroids: out }
  },
}
