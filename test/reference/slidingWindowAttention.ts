// Longformer (Beltagy et al. 2020) sec. 3.1: a window, dilated per head, and global tokens.
import type { Inputs } from '../support/tensors.ts'
import { attend, lengthsOf, row, setRow } from './grid.ts'
import { type Dense64, range } from './maths.ts'
import type { Reference } from './reference.ts'
import { bySegments } from './segments.ts'

interface Params {
  readonly scale?: number
  readonly windowLeft: number
  readonly windowRight: number
  readonly dilation?: number | readonly number[]
  readonly causal?: boolean
}

function compute({ tensors, params }: Inputs): { out: Dense64; lse?: Dense64 } {
  const { query, key, value, globalTokens, globalQuery, globalKey, globalValue } = tensors
  const [B, H, L, D] = query!.shape as [number, number, number, number]
  const lengths = lengthsOf(B, L, tensors.keyLengths)
  const {
    scale = 1 / Math.sqrt(D),
    windowLeft,
    windowRight,
    dilation = 1,
    causal = false,
  } = params as unknown as Params

  const isGlobal = (b: number, j: number): boolean =>
    globalTokens !== undefined && row(globalTokens, b, j)[0] !== 0
  const inWindow = (h: number, i: number, j: number): boolean => {
    const d = typeof dilation === 'number' ? dilation : dilation[h]!
    const away = j - i
    if (causal && away > 0) return false
    return away % d === 0 && -windowLeft * d <= away && away <= windowRight * d
  }
  const { out, lse } = attend({ query: query!, key: key!, value: value! }, scale, (b, h, i) =>
    i < lengths[b]! ? range(lengths[b]!).filter(j => inWindow(h, i, j) || isGlobal(b, j)) : [],
  )
  if (globalTokens === undefined) return { out, lse }

  const wide = attend(
    { query: globalQuery ?? query!, key: globalKey ?? key!, value: globalValue ?? value! },
    scale,
    (b, _, i) => (i < lengths[b]! && isGlobal(b, i) ? range(lengths[b]!) : []),
  )
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < lengths[b]!; i++) {
        if (isGlobal(b, i)) setRow(out, row(wide.out, b, h, i), b, h, i)
      }
    }
  }
  return { out }
}

export const slidingWindowAttention: Reference = {
  op: 'slidingWindowAttention',
  required: ['query', 'key', 'value'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute: inputs =>
    bySegments(inputs, 'cumulativeLengths', 'cumulativeLengths', compute) ?? compute(inputs),
}
