// Child et al. 2019 sec. 4.2-4.3: two index sets a query, strided or fixed.
import { attend } from './grid.ts'
import { range } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly pattern: 'strided' | 'fixed'
  readonly stride: number
  readonly summary?: number
  readonly summaryBlocks?: number
  readonly headMode?: 'merged' | 'split' | 'first' | 'second'
  readonly causal?: boolean
  readonly scale?: number
}

export const sparseAttention: Reference = {
  op: 'sparseAttention',
  required: ['query', 'key', 'value'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, params }) {
    const { query, key, value } = tensors
    const [, , L, D] = query!.shape as [number, number, number, number]
    const {
      pattern,
      stride: l,
      summary: c = 0,
      summaryBlocks: m = 1,
      headMode = 'merged',
      causal = true,
      scale = 1 / Math.sqrt(D),
    } = params as unknown as Params

    const inFirst = (i: number, j: number): boolean =>
      pattern === 'strided' ? Math.abs(i - j) < l : Math.floor(i / l) === Math.floor(j / l)
    const inSecond = (h: number, i: number, j: number): boolean => {
      if (pattern === 'strided') return (i - j) % l === 0
      const u = h % m
      return l - c * (u + 1) <= j % l && j % l < l - c * u
    }
    const sees = (h: number, i: number, j: number): boolean => {
      if (causal && j > i) return false
      const first = headMode === 'first' || (headMode === 'split' && h % 2 === 0)
      if (headMode === 'merged') return inFirst(i, j) || inSecond(h, i, j)
      return first ? inFirst(i, j) : inSecond(h, i, j)
    }
    return attend({ query: query!, key: key!, value: value! }, scale, (_, h, i) =>
      range(L).filter(j => sees(h, i, j)),
    )
  },
}
