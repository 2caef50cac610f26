// Partial attention over disjoint key sets, joined exactly through their log-sum-exps.
import { at, indices, row, set, setRow } from './grid.ts'
import { float64, range, softmaxRow } from './maths.ts'
import type { Reference } from './reference.ts'

export const mergeAttention: Reference = {
  op: 'mergeAttention',
  withoutGolden: 'its parts joined are attention over all keys, which has cases',
  required: ['outs', 'lses'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => false, // the batch is the second axis of the inputs
  compute({ tensors }) {
    const { outs, lses } = tensors
    const [P, B, H, L, Dv] = outs!.shape as [number, number, number, number, number]
    const out = float64([B, H, L, Dv])
    const lse = float64([B, H, L])
    for (const index of indices([B, H, L])) {
      const parts = range(P)
        .map(p => ({ lse: at(lses!, p, ...index), out: row(outs!, p, ...index) }))
        .filter(part => part.lse !== Number.NEGATIVE_INFINITY)
      const joined = softmaxRow(parts.map(part => part.lse))
      set(lse, joined.lse, ...index)
      const values = range(Dv).map(d =>
        parts.reduce((total, part, p) => total + joined.weights[p]! * part.out[d]!, 0),
      )
      setRow(out, values, ...index)
    }
    return { out, lse }
  },
}
