// Vaswani et al. 2017 eq. 1 with masks, bias, ALiBi, soft cap, sinks, windows and key lengths: every
// query against every key, one score at a time.
import type { Dense } from '../support/tensors.ts'
import { type Dense64, float64, range, softmaxRow } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly scale?: number
  readonly causal?: boolean
  readonly align?: 'topLeft' | 'bottomRight'
  readonly softcap?: number
  readonly windowLeft?: number
  readonly windowRight?: number
}

/** Element [b, h, i, j] of a tensor broadcast numpy-style from rank 2 or 4. */
function broadcast({ data, shape }: Dense, at: readonly [number, number, number, number]): number {
  const index = at.slice(4 - shape.length)
  return data[shape.reduce((flat, n, axis) => flat * n + (n === 1 ? 0 : index[axis]!), 0)]!
}

export const scaledDotProductAttention: Reference = {
  op: 'scaledDotProductAttention',
  required: ['query', 'key', 'value'],
  takesWeights: false,
  always: ['out'],
  isBatched(name, { shape }) {
    if (name === 'alibiSlopes' || name === 'sinks') return false
    return name === 'mask' || name === 'bias' ? shape.length === 4 && shape[0]! > 1 : true
  },
  compute({ tensors, params }) {
    const { query, key, value, mask, bias, alibiSlopes, sinks, keyLengths, queryOffsets } = tensors
    const [B, H, Lq, D] = query!.shape as [number, number, number, number]
    const [, Hkv, Lk] = key!.shape as [number, number, number]
    const Dv = value!.shape[3]!
    const {
      scale = 1 / Math.sqrt(D),
      causal = false,
      align = 'topLeft',
      softcap = 0,
      windowLeft = -1,
      windowRight = -1,
    } = params as Params

    const out: Dense64 = float64([B, H, Lq, Dv])
    const lse: Dense64 = float64([B, H, Lq])
    for (let b = 0; b < B; b++) {
      const length = keyLengths?.data[b] ?? Lk
      const offset = queryOffsets?.data[b] ?? (align === 'topLeft' ? 0 : length - Lq)
      for (let h = 0; h < H; h++) {
        const kv = b * Hkv + Math.floor(h / (H / Hkv))
        for (let i = 0; i < Lq; i++) {
          const row = (b * H + h) * Lq + i
          const position = i + offset
          const visible = range(length).filter(
            j =>
              (mask === undefined || broadcast(mask, [b, h, i, j]) !== 0) &&
              (bias === undefined || broadcast(bias, [b, h, i, j]) !== Number.NEGATIVE_INFINITY) &&
              (!causal || j <= position) &&
              (windowLeft < 0 || j >= position - windowLeft) &&
              (windowRight < 0 || j <= position + windowRight),
          )
          const scores = visible.map(j => {
            let s = 0
            for (let d = 0; d < D; d++) {
              s += query!.data[row * D + d]! * key!.data[(kv * Lk + j) * D + d]!
            }
            s *= scale
            if (softcap > 0) s = softcap * Math.tanh(s / softcap)
            if (bias !== undefined) s += broadcast(bias, [b, h, i, j])
            if (alibiSlopes !== undefined) s -= alibiSlopes.data[h]! * Math.abs(position - j)
            return s
          })
          const soft = softmaxRow(scores, sinks?.data[h])
          lse.data[row] = soft.lse
          visible.forEach((j, n) => {
            for (let d = 0; d < Dv; d++) {
              out.data[row * Dv + d]! += soft.weights[n]! * value!.data[(kv * Lk + j) * Dv + d]!
            }
          })
        }
      }
    }
    return { out, lse }
  },
}
