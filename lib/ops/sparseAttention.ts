import { boolean, choice, dynamic, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { floatDtypes } from '../core/tensors/tensor.ts'
import { checkKeyHeads, scaleParam } from './shared/heads.ts'

/** Parameters of {@link sparseAttention}. */
export interface SparseAttentionOptions {
  /** Which pair of index sets. */
  readonly pattern: 'strided' | 'fixed'
  /** l >= 1: how far the local set reaches, and the period of the other one. */
  readonly stride: number
  /** c, fixed only: columns at the end of a block that summarise it; c * summaryBlocks <= l. */
  readonly summary?: number | undefined
  /** m, fixed only: heads take turns among m neighbouring groups of summary columns. Default 1. */
  readonly summaryBlocks?: number | undefined
  /** Both sets in every head (merged, default), one each in even and odd heads (split), or one alone. */
  readonly headMode?: 'merged' | 'split' | 'first' | 'second' | undefined
  /** Queries see keys up to their own position. Default true. */
  readonly causal?: boolean | undefined
  /** Factor of the scores. Default 1/sqrt(D). */
  readonly scale?: number | undefined
}

/** Outputs of {@link sparseAttention}. */
export interface SparseAttentionOutputs {
  /** [B, H, L, Dv]. */
  out: Output
  /** [B, H, L] natural logarithm of the sum of exp(score); -Infinity for a query that sees no key. */
  lse?: Output
}

/**
 * Factorised sparse attention (Sparse Transformer, Child et al. 2019, sec. 4.2-4.3).
 *
 * Shapes: query [B, H, L, D], key [B, Hkv, L, D], value [B, Hkv, L, Dv], each float32, float16 or
 * bfloat16. With l = stride, c = summary, u = h mod m, query i of head h sees key j in the sets
 *
 *     strided  A1: |i - j| < l                  A2: (i - j) mod l = 0
 *     fixed    A1: floor(i/l) = floor(j/l)      A2: l - c (u + 1) <= j mod l < l - c u
 *
 *     strided, l = 3     fixed, l = 3, c = 1      (merged and causal: A1 or A2, j <= i)
 *     ■ . . . . . .      ■ . . . . . .
 *     ■ ■ . . . . .      ■ ■ . . . . .
 *     ■ ■ ■ . . . .      ■ ■ ■ . . . .
 *     ■ ■ ■ ■ . . .      . . ■ ■ . . .
 *     . ■ ■ ■ ■ . .      . . ■ ■ ■ . .
 *     . . ■ ■ ■ ■ .      . . ■ ■ ■ ■ .
 *     ■ . . ■ ■ ■ ■      . . ■ . . ■ ■
 *
 * merged is one softmax over the union, no key counted twice. L need not be a multiple of l. The work
 * follows the two sets: L^1.5 for l = sqrt(L). Scratch is at most 0.8 MB a thread; merged strided heads
 * need 8 bytes a query more, fixed ones 4 bytes a summary column.
 *
 * @throws RangeError ERR_FOVEA_OPTION where summary is missing or summary * summaryBlocks > stride.
 * @example
 * ```ts
 * import { sparseAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(2 * 256 * 32).fill(0.1), [1, 2, 256, 32])
 * const { out } = sparseAttention(x, x, x, { pattern: 'strided', stride: 16 })
 * ```
 */
export const sparseAttention = operation<
  [query: TensorLike, key: TensorLike, value: TensorLike],
  SparseAttentionOptions,
  SparseAttentionOutputs
>({
  name: 'sparseAttention',
  summary: 'Strided and fixed factorised patterns, at the cost of their own size',
  paper: 'Child et al. 2019, Generating Long Sequences with Sparse Transformers, sec. 4.2-4.3',
  tensors: {
    query: { shape: 'B H L D', dtype: floatDtypes },
    key: { shape: 'B Hkv L D', dtype: floatDtypes },
    value: { shape: 'B Hkv L Dv', dtype: floatDtypes },
  },
  outputs: { out: { shape: 'B H L Dv' }, lse: { shape: 'B H L', optional: true } },
  params: {
    pattern: choice(['strided', 'fixed']),
    stride: integer({ min: 1 }),
    summary: integer({
      default: 0,
      min: 0,
      used: dynamic("pattern is 'fixed'", c => c.choice('pattern') === 'fixed'),
    }),
    summaryBlocks: integer({
      default: 1,
      min: 1,
      used: dynamic("pattern is 'fixed'", c => c.choice('pattern') === 'fixed'),
    }),
    headMode: choice(['merged', 'split', 'first', 'second'], { default: 'merged' }),
    causal: boolean({ default: true }),
    scale: scaleParam(),
  },
  check(c) {
    checkKeyHeads(c)
    if (c.choice('pattern') !== 'fixed') return
    const [stride, summary, blocks] = [
      c.number('stride'),
      c.number('summary'),
      c.number('summaryBlocks'),
    ]
    if (summary < 1)
      c.fail('summary', 'ERR_FOVEA_OPTION', "be at least 1 where pattern is 'fixed'", summary)
    if (summary * blocks > stride)
      c.fail(
        'summary',
        'ERR_FOVEA_OPTION',
        `be at most stride / summaryBlocks = ${stride / blocks}`,
        summary,
      )
  },
})
