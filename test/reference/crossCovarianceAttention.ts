// XCiT (El-Nouby et al. 2021) eq. 2: channels attend to channels, over tokens of unit length.
import type { Dense } from '../support/tensors.ts'
import { at, indices, set } from './grid.ts'
import { type Dense64, dot, float64, range, softmaxRow, toUnit } from './maths.ts'
import type { Reference } from './reference.ts'

/** [B, H, N, D] in and out; one temperature a head. */
export function crossCovariance(
  { query, key, value }: Readonly<Record<'query' | 'key' | 'value', Dense>>,
  temperature: ArrayLike<number>,
  eps: number,
): Dense64 {
  const [B, H, N, D] = query.shape as [number, number, number, number]
  const out = float64([B, H, N, D])
  for (const [b, h] of indices([B, H]) as Iterable<[number, number]>) {
    const column = (tensor: Dense, c: number): number[] =>
      toUnit(
        range(N).map(n => at(tensor, b, h, n, c)),
        eps,
      )
    const queries = range(D).map(c => column(query, c))
    const keys = range(D).map(c => column(key, c))
    const P = queries.map(q => softmaxRow(keys.map(k => temperature[h]! * dot(q, k))).weights)
    for (const [n, c] of indices([N, D]) as Iterable<[number, number]>) {
      const values = range(D).map(e => at(value, b, h, n, e))
      set(out, dot(P[c]!, values), b, h, n, c)
    }
  }
  return out
}

export const crossCovarianceAttention: Reference = {
  op: 'crossCovarianceAttention',
  required: ['query', 'key', 'value', 'temperature'],
  takesWeights: false,
  always: ['out'],
  isBatched: name => name !== 'temperature',
  compute({ tensors, params }) {
    const { query, key, value, temperature } = tensors
    const { eps = 1e-12 } = params as { eps?: number }
    const heads = { query: query!, key: key!, value: value! }
    return { out: crossCovariance(heads, temperature!.data, eps) }
  },
}
