// The nearest centroid of every row: by dot product, or by Euclidean distance.
import type { Dense } from '../support/tensors.ts'
import { row } from './grid.ts'
import { dot, float64, norm, range, rowsOf, toUnit } from './maths.ts'
import type { Reference } from './reference.ts'

/** Indices by descending score; NaN after every number, ties by index. */
export function ranked(scores: readonly number[]): number[] {
  const rank = (score: number): number => (Number.isNaN(score) ? 1 : 0)
  return range(scores.length).sort((a, b) => {
    const [x, y] = [scores[a]!, scores[b]!]
    return rank(x) - rank(y) || (x === y || Number.isNaN(x) ? a - b : y > x ? 1 : -1)
  })
}

export const kmeansAssign: Reference = {
  op: 'kmeansAssign',
  required: ['x', 'centroids'],
  takesWeights: false,
  always: ['assignments', 'distances'],
  isBatched: name => name === 'x',
  compute({ tensors, params }) {
    const { x, centroids } = tensors
    const { metric = 'dot', normalize = false } = params as { metric?: string; normalize?: boolean }
    const [n] = x!.shape as [number]
    const K = centroids!.shape[0]!
    const assignments: Dense<Int32Array> = { data: new Int32Array(n), shape: [n] }
    const distances = float64([n])
    rowsOf(x!).forEach((given, i) => {
      const point = normalize ? toUnit(given) : given
      const measures = range(K).map(c => {
        const centroid = row(centroids!, c)
        return metric === 'dot' ? dot(point, centroid) : norm(point.map((v, d) => v - centroid[d]!))
      })
      const best = ranked(metric === 'dot' ? measures : measures.map(m => -m))[0]!
      assignments.data[i] = best
      distances.data[i] = measures[best]!
    })
    return { assignments, distances }
  },
}
