// Attention without heads that returns its weights: [B, Lq, Dq] over [B, Lk, Dv].
import type { Dense } from '../support/tensors.ts'
import { attendRow, indices, row, setRow } from './grid.ts'
import { type Dense64, float64, range } from './maths.ts'

/** `scoresOf` gives the scores of the first `length` keys of batch entry b for one query. */
export function singleHead(
  query: Dense,
  value: Dense,
  lengths: readonly number[],
  scoresOf: (q: ArrayLike<number>, b: number, length: number) => number[],
): { out: Dense64; attentionWeights: Dense64 } {
  const [B, Lq] = query.shape as [number, number]
  const [, Lk, Dv] = value.shape as [number, number, number]
  const out = float64([B, Lq, Dv])
  const attentionWeights = float64([B, Lq, Lk])
  for (const [b, i] of indices([B, Lq]) as Iterable<[number, number]>) {
    const length = lengths[b]!
    const values = range(length).map(j => row(value, b, j))
    const attended = attendRow(scoresOf(row(query, b, i), b, length), values, Dv)
    setRow(out, attended.out, b, i)
    setRow(attentionWeights, attended.weights, b, i)
  }
  return { out, attentionWeights }
}
