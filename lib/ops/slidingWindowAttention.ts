import { boolean, dynamic, integer, list } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { floatDtypes } from '../core/tensors/tensor.ts'
import { scaleParam } from './shared/heads.ts'
import { checkRagged } from './shared/ragged.ts'

/** Optional tensors and parameters of {@link slidingWindowAttention}. */
export interface SlidingWindowAttentionOptions {
  /** Uint8Array [B, L], nonzero = a token that sees every key and that every query sees. */
  readonly globalTokens?: TensorLike | undefined
  /** Int32Array [B]: the first so many positions of a batch entry are real (1..L). */
  readonly keyLengths?: TensorLike | undefined
  /** [B, H, L, D] queries of the global rows; with globalKey and globalValue, or none of the three. */
  readonly globalQuery?: TensorLike | undefined
  /** [B, H, L, D] keys that the global rows see. */
  readonly globalKey?: TensorLike | undefined
  /** [B, H, L, Dv] values that the global rows see. */
  readonly globalValue?: TensorLike | undefined
  /**
   * Int32Array [n + 1]: a ragged batch of n sequences in one entry (B = 1). Sequence s is positions c[s] to
   * c[s + 1] - 1, from 0 up to L; windows and global tokens stay within it.
   */
  readonly cumulativeLengths?: TensorLike | undefined
  /** Factor of the scores. Default 1/sqrt(D). */
  readonly scale?: number | undefined
  /** Keys seen before the query, in steps of the dilation (Longformer's attention_window is twice this). */
  readonly windowLeft: number
  /** Keys seen behind the query, in steps of the dilation. */
  readonly windowRight: number
  /** No key behind the query, whatever windowRight says; not with globalTokens. Default false. */
  readonly causal?: boolean | undefined
  /** Distance between the keys of a window: one for all heads, or one a head. Default 1. */
  readonly dilation?: number | readonly number[] | undefined
}

/** Outputs of {@link slidingWindowAttention}. */
export interface SlidingWindowAttentionOutputs {
  /** [B, H, L, Dv]. */
  out: Output
  /** [B, H, L] natural logarithm of the sum of exp(score); only without globalTokens. */
  lse?: Output
}

/**
 * Sliding-window attention with dilation and global tokens (Longformer, Beltagy et al. 2020, sec. 3.1).
 *
 * Shapes: query, key [B, H, L, D], value [B, H, L, Dv], each float32, float16 or bfloat16. With d the
 * dilation of its head, query i sees key j where (j - i) mod d = 0 and
 * -windowLeft * d <= j - i <= windowRight * d, and every global key:
 *
 *     windowLeft = windowRight = 1     dilation 2              token 0 global
 *       ■ ■ . . . .                    ■ . ■ . . .             ■ ■ ■ ■ ■ ■
 *       ■ ■ ■ . . .                    . ■ . ■ . .             ■ ■ ■ . . .
 *       . ■ ■ ■ . .                    ■ . ■ . ■ .             ■ ■ ■ ■ . .
 *       . . ■ ■ ■ .                    . ■ . ■ . ■             ■ . ■ ■ ■ .
 *       . . . ■ ■ ■                    . . ■ . ■ .             ■ . . ■ ■ ■
 *       . . . . ■ ■                    . . . ■ . ■             ■ . . . ■ ■
 *
 * A global row sees every key, with globalQuery, globalKey and globalValue where they are given. Rows
 * behind keyLengths give 0 and lse -Infinity. Windows are cut at the ends of the sequence. A ragged batch
 * gives every sequence the bits that a call of its own would.
 *
 * The cost is linear in L; scratch is at most 0.8 MB a thread, and 4 bytes a global token.
 *
 * @throws RangeError ERR_FOVEA_OPTION for causal with globalTokens and for keyLengths with a ragged batch,
 * ERR_FOVEA_OUTPUT for lse with globalTokens, ERR_FOVEA_SHAPE, _BOUNDS.
 * @example
 * ```ts
 * import { slidingWindowAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(4 * 256 * 32).fill(0.1), [1, 4, 256, 32])
 * const { out } = slidingWindowAttention(x, x, x, { windowLeft: 16, windowRight: 16, dilation: [1, 1, 2, 4] })
 * ```
 */
export const slidingWindowAttention = operation<
  [query: TensorLike, key: TensorLike, value: TensorLike],
  SlidingWindowAttentionOptions,
  SlidingWindowAttentionOutputs
>({
  name: 'slidingWindowAttention',
  summary: 'Windows around each query, dilated per head, with global tokens',
  paper: 'Beltagy et al. 2020, Longformer: The Long-Document Transformer, sec. 3.1',
  tensors: {
    query: { shape: 'B H L D', dtype: floatDtypes },
    key: { shape: 'B H L D', dtype: floatDtypes },
    value: { shape: 'B H L Dv', dtype: floatDtypes },
    globalTokens: { shape: 'B L', dtype: 'uint8', optional: true },
    keyLengths: { shape: 'B', dtype: 'int32', optional: true, min: 1, max: 'L' },
    globalQuery: { shape: 'B H L D', optional: 'global' },
    globalKey: { shape: 'B H L D', optional: 'global' },
    globalValue: { shape: 'B H L Dv', optional: 'global' },
    cumulativeLengths: { shape: 'n+1', dtype: 'int32', optional: true, min: 0 },
  },
  outputs: {
    out: { shape: 'B H L Dv' },
    lse: {
      shape: 'B H L',
      optional: true,
      absent: c => (c.has('globalTokens') ? 'globalTokens is given' : undefined),
    },
  },
  params: {
    scale: scaleParam(),
    windowLeft: integer({ min: 0 }),
    windowRight: integer({ min: 0 }),
    causal: boolean({ default: false }),
    dilation: list(integer({ min: 1 }), {
      default: 1,
      length: dynamic('H', c => c.dim('H')),
    }),
  },
  mayBeEmpty: ['n'],
  check(c) {
    if (c.has('cumulativeLengths')) checkRagged(c, 'cumulativeLengths', c.dim('L'), ['keyLengths'])
    if (c.has('globalQuery') && !c.has('globalTokens'))
      c.fail('globalQuery', 'ERR_FOVEA_OPTION', 'come with globalTokens', 'no globalTokens')
    if (c.flag('causal') && c.has('globalTokens'))
      c.fail('causal', 'ERR_FOVEA_OPTION', 'be false where globalTokens is given', true)
  },
})
