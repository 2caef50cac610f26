// Vaswani et al. 2017 eq. 1 with masks, bias, ALiBi, soft cap, sinks, windows and key lengths: every
// query against every key, one score at a time.
import type { Dense, Inputs } from '../support/tensors.ts'
import { attend, lengthsOf } from './grid.ts'
import { type Dense64, range } from './maths.ts'
import type { Reference } from './reference.ts'
import { bySegments } from './segments.ts'

interface Params {
  readonly scale?: number
  readonly causal?: boolean
  readonly align?: 'topLeft' | 'bottomRight'
  readonly softcap?: number
  readonly windowLeft?: number
  readonly windowRight?: number
}

/** Element [b, h, i, j] of a tensor broadcast numpy-style from rank 2 or 4. */
function broadcast({ data, shape }: Dense, ...index: readonly number[]): number {
  const own = index.slice(4 - shape.length)
  return data[shape.reduce((flat, n, axis) => flat * n + (n === 1 ? 0 : own[axis]!), 0)]!
}

function compute({ tensors, params }: Inputs): { out: Dense64; lse: Dense64 } {
  const { query, key, value, mask, bias, alibiSlopes, sinks, keyLengths, queryOffsets } = tensors
  const [B, , Lq, D] = query!.shape as [number, number, number, number]
  const lengths = lengthsOf(B, key!.shape[2]!, keyLengths)
  const {
    scale = 1 / Math.sqrt(D),
    causal = false,
    align = 'topLeft',
    softcap = 0,
    windowLeft = -1,
    windowRight = -1,
  } = params as Params
  const position = (b: number, i: number): number =>
    i + (queryOffsets?.data[b] ?? (align === 'topLeft' ? 0 : lengths[b]! - Lq))

  const keysOf = (b: number, h: number, i: number): number[] =>
    range(lengths[b]!).filter(
      j =>
        (mask === undefined || broadcast(mask, b, h, i, j) !== 0) &&
        (bias === undefined || broadcast(bias, b, h, i, j) !== Number.NEGATIVE_INFINITY) &&
        (!causal || j <= position(b, i)) &&
        (windowLeft < 0 || j >= position(b, i) - windowLeft) &&
        (windowRight < 0 || j <= position(b, i) + windowRight),
    )
  const scoreOf = (scaled: number, b: number, h: number, i: number, j: number): number => {
    let s = scaled
    if (softcap > 0) s = softcap * Math.tanh(s / softcap)
    if (bias !== undefined) s += broadcast(bias, b, h, i, j)
    if (alibiSlopes !== undefined) s -= alibiSlopes.data[h]! * Math.abs(position(b, i) - j)
    return s
  }
  const heads = { query: query!, key: key!, value: value! }
  return attend(heads, scale, keysOf, scoreOf, h => sinks?.data[h])
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
  compute: inputs =>
    bySegments(inputs, 'queryCumulativeLengths', 'keyCumulativeLengths', compute) ??
    compute(inputs),
}
