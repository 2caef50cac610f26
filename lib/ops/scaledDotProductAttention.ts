import { boolean, choice, integer, number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { floatDtypes } from '../core/tensors/tensor.ts'
import { checkKeyHeads, scaleParam } from './shared/heads.ts'
import { checkRagged, lengthsOf } from './shared/ragged.ts'

/** Optional tensors and parameters of {@link scaledDotProductAttention}. */
export interface ScaledDotProductAttentionOptions {
  /** Uint8Array, nonzero = attend; rank 2 or 4, broadcast numpy-style to [B, H, Lq, Lk]. */
  readonly mask?: TensorLike | undefined
  /** Added to the scores; rank 2 or 4, broadcast to [B, H, Lq, Lk]. -Infinity hides a key like the mask. */
  readonly bias?: TensorLike | undefined
  /** [H] ALiBi slopes: `slope * |position - j|` is subtracted from the score (Press 2022). */
  readonly alibiSlopes?: TensorLike | undefined
  /** [H] one logit a head that takes part in the softmax and has no value (gpt-oss). */
  readonly sinks?: TensorLike | undefined
  /** Int32Array [B]: the first so many keys of a batch entry exist (0..Lk). */
  readonly keyLengths?: TensorLike | undefined
  /** Int32Array [B]: query i sits at position i + offset among the keys. Wins over `align`. */
  readonly queryOffsets?: TensorLike | undefined
  /**
   * Int32Array [n + 1], with keyCumulativeLengths: a ragged batch of n problems in one entry (B = 1).
   * Problem s is queries c[s] to c[s + 1] - 1, from 0 up to Lq; positions count within it.
   */
  readonly queryCumulativeLengths?: TensorLike | undefined
  /** Int32Array [n + 1]: problem s has keys c[s] to c[s + 1] - 1, from 0 up to Lk. */
  readonly keyCumulativeLengths?: TensorLike | undefined
  /** Factor of the scores. Default 1/sqrt(D). */
  readonly scale?: number | undefined
  /** Queries see keys up to their own position. Default false. */
  readonly causal?: boolean | undefined
  /**
   * Where the queries sit when there are more or fewer of them than keys: the last query at the last
   * key (`bottomRight`, as FlashAttention), or the first at the first (`topLeft`, as torch). No
   * default: needed by causal, windows and ALiBi where a problem has not as many keys as queries.
   */
  readonly align?: 'bottomRight' | 'topLeft' | undefined
  /** `s = softcap * tanh(s / softcap)` where > 0 (Gemma 2). Default 0: off. */
  readonly softcap?: number | undefined
  /** Keys seen before the query's position. Default -1: all. */
  readonly windowLeft?: number | undefined
  /** Keys seen behind the query's position. Default -1: all. */
  readonly windowRight?: number | undefined
}

/** Outputs of {@link scaledDotProductAttention}. */
export interface ScaledDotProductAttentionOutputs {
  /** [B, H, Lq, Dv]. */
  out: Output
  /** [B, H, Lq], the natural logarithm of the sum of exp(score) over the visible keys; -Infinity for none. */
  lse?: Output
}

/**
 * Scaled dot-product attention, `softmax(scale * Q K^T) V` (Vaswani et al. 2017, eq. 1), with masks,
 * bias, ALiBi, sinks, soft cap, windows, key lengths and grouped heads.
 *
 * Shapes: query [B, H, Lq, D], key [B, Hkv, Lk, D], value [B, Hkv, Lk, Dv]; H % Hkv = 0, and query head
 * h uses key head floor(h / (H / Hkv)). query, key and value may each be float32, float16 or bfloat16:
 * 16 bits are widened as they are read, and the bits are those of the same numbers in float32. The score
 * of query i at position p = i + offset and key j is
 *
 *     s = scale * q.k,  softcap * tanh(s / softcap),  + bias,  - slope * |p - j|
 *
 * and the key is visible where j < keyLength, the mask is nonzero, and
 *
 *     p - windowLeft <= j <= p + windowRight      j <= p if causal
 *
 *              keys j ->                windowLeft: 2, windowRight: 1
 *     query    0 . . . . .              0 ■ ■ . . .
 *       i      1 ■ . . . .  causal      1 ■ ■ ■ . .
 *       |      2 ■ ■ . . .  (■ seen)    2 ■ ■ ■ ■ .
 *       v      3 ■ ■ ■ . .              3 . ■ ■ ■ ■
 *
 * Causal with other numbers of queries than keys is one of two things, which `align` tells apart:
 *
 *     topLeft  ■ . . . .   ■ .      bottomRight  ■ ■ ■ ■ .   . .
 *              ■ ■ . . .   ■ ■                   ■ ■ ■ ■ ■   . .
 *                          ■ ■                               . .
 *                          ■ ■                               ■ .
 *                          ■ ■                               ■ ■
 *
 * A query that sees no key gives 0 and lse -Infinity (with sinks: 0, and the sink). Hidden keys and
 * values are never part of the result, whatever they hold. Tiles that see nothing are not computed, and
 * nothing of size Lq x Lk is allocated: scratch is at most 0.8 MB a thread, 1.3 MB where heads share a
 * bias.
 *
 * A ragged batch gives every problem the bits that a call of its own would.
 *
 * @throws RangeError ERR_FOVEA_ALIGN where causal, a window or ALiBi meets more or fewer keys than
 * queries and neither `align` nor `queryOffsets` is given; ERR_FOVEA_OPTION for keyLengths,
 * queryOffsets, mask or bias with a ragged batch; ERR_FOVEA_SHAPE, _RANK, _STRIDE, _BOUNDS, _OPTION.
 * @example
 * ```ts
 * import { scaledDotProductAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(8 * 128 * 64).fill(0.5), [1, 8, 128, 64])
 * const { out, lse } = scaledDotProductAttention(x, x, x, { causal: true, outputs: ['lse'] })
 * console.log(out.shape, out.data[0], lse.shape) // => [ 1, 8, 128, 64 ] 0.5 [ 1, 8, 128 ]
 *
 * // Equal scores: each query gives the mean of the values that it sees.
 * const zeros = (length: number) => tensor(new Float32Array(length), [1, 1, length, 1])
 * const count = (length: number) => tensor(Float32Array.of(1, 2, 3, 4, 5), [1, 1, length, 1])
 * const seen = (align: 'topLeft' | 'bottomRight', queries: number, keys: number) => {
 *   const options = { causal: true, align }
 *   const { out } = scaledDotProductAttention(zeros(queries), zeros(keys), count(keys), options)
 *   return out.data.join(' ')
 * }
 * console.log(seen('topLeft', 2, 5), '|', seen('topLeft', 5, 2)) // => 1 1.5 | 1 1.5 1.5 1.5 1.5
 * console.log(seen('bottomRight', 2, 5), '|', seen('bottomRight', 5, 2)) // => 2.5 3 | 0 0 0 1 1.5
 * ```
 */
export const scaledDotProductAttention = operation<
  [query: TensorLike, key: TensorLike, value: TensorLike],
  ScaledDotProductAttentionOptions,
  ScaledDotProductAttentionOutputs
>({
  name: 'scaledDotProductAttention',
  summary: 'softmax(scale Q K^T + ...) V, with every usual mask, bias and window',
  paper: 'Vaswani et al. 2017, Attention Is All You Need, eq. 1',
  tensors: {
    query: { shape: 'B H Lq D', dtype: floatDtypes },
    key: { shape: 'B Hkv Lk D', dtype: floatDtypes },
    value: { shape: 'B Hkv Lk Dv', dtype: floatDtypes },
    mask: { shape: 'B H Lq Lk', dtype: 'uint8', optional: true, broadcast: true },
    bias: { shape: 'B H Lq Lk', optional: true, broadcast: true },
    alibiSlopes: { shape: 'H', optional: true },
    sinks: { shape: 'H', optional: true },
    keyLengths: { shape: 'B', dtype: 'int32', optional: true, min: 0, max: 'Lk' },
    queryOffsets: { shape: 'B', dtype: 'int32', optional: true },
    queryCumulativeLengths: { shape: 'n+1', dtype: 'int32', optional: 'ragged', min: 0 },
    keyCumulativeLengths: { shape: 'n+1', dtype: 'int32', optional: 'ragged', min: 0 },
  },
  outputs: {
    out: { shape: 'B H Lq Dv' },
    lse: { shape: 'B H Lq', optional: true },
  },
  params: {
    scale: scaleParam(),
    causal: boolean({ default: false }),
    align: choice(['bottomRight', 'topLeft'], { optional: true, absent: 0 }),
    softcap: number({ default: 0, min: 0 }),
    windowLeft: integer({ default: -1, min: -1 }),
    windowRight: integer({ default: -1, min: -1 }),
  },
  mayBeEmpty: ['n'],
  check(c) {
    checkKeyHeads(c)
    const ragged = c.has('queryCumulativeLengths')
    if (ragged) {
      const beside = ['keyLengths', 'queryOffsets', 'mask', 'bias']
      checkRagged(c, 'queryCumulativeLengths', c.dim('Lq'), beside)
      checkRagged(c, 'keyCumulativeLengths', c.dim('Lk'), beside)
    }
    const placed =
      c.flag('causal') ||
      c.number('windowLeft') >= 0 ||
      c.number('windowRight') >= 0 ||
      c.has('alibiSlopes')
    if (!placed || c.choice('align') !== '' || c.has('queryOffsets')) return
    const queries = ragged ? lengthsOf(c.ints('queryCumulativeLengths')) : [c.dim('Lq')]
    const keys = ragged
      ? lengthsOf(c.ints('keyCumulativeLengths'))
      : c.has('keyLengths')
        ? c.ints('keyLengths')
        : [c.dim('Lk')]
    for (const [s, length] of keys.entries()) {
      const own = queries[ragged ? s : 0]!
      if (length !== own)
        c.fail(
          'align',
          'ERR_FOVEA_ALIGN',
          `be 'bottomRight' or 'topLeft'${ragged ? '' : ' (or queryOffsets be given)'} where a key length differs from the ${own} queries`,
          `nothing, with a key length of ${length}`,
        )
    }
  },
})
