// Luong et al. 2015, eq. 7: dot, general and concat scores; local attention, eqs. 9-10.
import { attendRow, indices, lengthsOf, row, setRow } from './grid.ts'
import { affine, dot, float64, range, sigmoid } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly score: 'dot' | 'general' | 'concat'
  readonly local?: 'none' | 'monotonic' | 'predictive'
  readonly localWindow?: number
  readonly positionOffset?: number
}

export const dotProductAttention: Reference = {
  op: 'dotProductAttention',
  required: ['query', 'key', 'value'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { query, key, value, keyLengths } = tensors
    const { W, v, Wp, vp } = weights
    const [B, Lq] = query!.shape as [number, number]
    const [, Lk, Dv] = value!.shape as [number, number, number]
    const lengths = lengthsOf(B, Lk, keyLengths)
    const {
      score,
      local = 'none',
      localWindow = 0,
      positionOffset = 0,
    } = params as unknown as Params

    const scoreOf = (q: ArrayLike<number>, k: ArrayLike<number>): number => {
      if (score === 'dot') return dot(q, k)
      if (score === 'general') return dot(q, affine(k, W!)) // q^T (W k)
      return dot(v!.data, affine([...Array.from(q), ...Array.from(k)], W!).map(Math.tanh))
    }
    const out = float64([B, Lq, Dv])
    const attentionWeights = float64([B, Lq, Lk])
    for (const [b, i] of indices([B, Lq]) as Iterable<[number, number]>) {
      const length = lengths[b]!
      const q = row(query!, b, i)
      let centre = i + positionOffset
      if (local === 'predictive') {
        centre = length * sigmoid(dot(vp!.data, affine(q, Wp!).map(Math.tanh)))
      }
      const middle = local === 'predictive' ? Math.min(Math.floor(centre), length - 1) : centre
      // Around a centre that is NaN every weight is.
      const visible = range(length).filter(
        j => local === 'none' || !(Math.abs(j - middle) > localWindow),
      )
      const scores = visible.map(j => scoreOf(q, row(key!, b, j)))
      const weightsOfRow = attendRow(scores, [], 0).weights.map((a, n) => {
        if (local !== 'predictive') return a
        const sigma = localWindow / 2
        return a * Math.exp(-((visible[n]! - centre) ** 2) / (2 * sigma ** 2))
      })
      const full = range(Lk).map(j => weightsOfRow[visible.indexOf(j)] ?? 0)
      setRow(attentionWeights, full, b, i)
      setRow(
        out,
        range(Dv).map(d =>
          dot(
            weightsOfRow,
            visible.map(j => row(value!, b, j)[d]!),
          ),
        ),
        b,
        i,
      )
    }
    return { out, attentionWeights }
  },
}
