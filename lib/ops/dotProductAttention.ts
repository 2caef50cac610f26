import type { Weights } from '../core/call/prepared.ts'
import { choice, dynamic, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Weights of {@link dotProductAttention}; those that the score and the window do not use are ignored. */
export interface DotProductAttentionWeights {
  /** general: [D, Dk]. concat: [A, D + Dk], the columns of the query first. */
  readonly W?: TensorLike | undefined
  /** concat: [A]. */
  readonly v?: TensorLike | undefined
  /** predictive: [A, D]. */
  readonly Wp?: TensorLike | undefined
  /** predictive: [A]. */
  readonly vp?: TensorLike | undefined
}

/** Optional tensors and parameters of {@link dotProductAttention}. */
export interface DotProductAttentionOptions {
  /** Int32Array [B]: the first so many keys of a batch entry exist (0..Lk). */
  readonly keyLengths?: TensorLike | undefined
  /** How a query and a key make a score. */
  readonly score: 'dot' | 'general' | 'concat'
  /** Which keys a query sees: all, or those around a centre. Default none. */
  readonly local?: 'none' | 'monotonic' | 'predictive' | undefined
  /** Keys on either side of the centre; at least 1 for predictive. Default 0. */
  readonly localWindow?: number | undefined
  /** monotonic: the centre of query 0. Default 0. */
  readonly positionOffset?: number | undefined
}

/** Outputs of {@link dotProductAttention}. */
export interface DotProductAttentionOutputs {
  /** [B, Lq, Dv]. */
  out: Output
  /** [B, Lq, Lk], the alignment; rows of predictive windows sum to less than 1. */
  attentionWeights?: Output
}

/**
 * Luong's attention (Luong et al. 2015): three scores (eq. 7 and below), over all keys or in a window (eqs. 9-10).
 *
 *     dot q . k        general q^T W k        concat v . tanh(W [q; k])        never scaled
 *     attentionWeights = softmax over the visible keys,   out = attentionWeights . value
 *
 *     local: monotonic, localWindow 1     predictive, localWindow 1
 *     ■ ■ . . .                           . . ░ ■ ░       centre p_i = n sigmoid(vp . tanh(Wp q_i)),
 *     ■ ■ ■ . .                           ░ ■ ░ . .       weights times exp(-(j - p)^2 / (2 sigma^2)),
 *     . ■ ■ ■ .                           . ░ ■ ░ .       sigma = localWindow / 2, not renormalised
 *
 * Shapes: query [B, Lq, D], key [B, Lk, Dk] (dot: Dk = D), value [B, Lk, Dv]. monotonic centres query i at
 * i + positionOffset; a window holds the keys from floor(p) - localWindow to floor(p) + localWindow. n is the
 * key length. A window that lies behind all keys gives zeros; a NaN in a query makes its row NaN.
 *
 * Scratch: general 4 Dk B Lq bytes, concat that of additiveAttention, predictive 8 B Lq and 4 Lk a thread; with
 * plain weights the packed weights too; 4 x 48 Lk bytes a thread for attentionWeights.
 *
 * @throws RangeError ERR_FOVEA_SHAPE where dot has keys of another size than the queries; ERR_FOVEA_OPTION for
 * a predictive window of 0; ERR_FOVEA_BOUNDS for a key length outside 0..Lk; ERR_FOVEA_WEIGHT_SHAPE.
 * TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { dotProductAttention, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const states = full(1, 9, 8)
 * const { out } = dotProductAttention(full(1, 3, 8), states, states, {}, {
 *   score: 'dot',
 *   local: 'monotonic',
 *   localWindow: 2,
 * })
 * ```
 */
export const dotProductAttention = operation<
  [
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    weights: Weights<DotProductAttentionWeights, 'dotProductAttention'>,
  ],
  DotProductAttentionOptions,
  DotProductAttentionOutputs
>({
  name: 'dotProductAttention',
  summary: 'Dot, general and concat scores, over all keys or in monotonic and predicted windows',
  paper:
    'Luong et al. 2015, Effective Approaches to Attention-based Neural Machine Translation, eqs. 7-10',
  tensors: {
    query: { shape: 'B Lq D' },
    key: { shape: 'B Lk Dk' },
    value: { shape: 'B Lk Dv' },
    keyLengths: { shape: 'B', dtype: 'int32', optional: true, min: 0, max: 'Lk' },
  },
  outputs: {
    out: { shape: 'B Lq Dv' },
    attentionWeights: { shape: 'B Lq Lk', optional: true },
  },
  weights(c) {
    const [score, local] = [c.choice('score'), c.choice('local')]
    const ignored = { optional: true, unused: true }
    return {
      W: {
        shape: score === 'concat' ? 'A D+Dk' : 'D Dk',
        ...(score === 'dot' && ignored),
      },
      v: { shape: 'A', ...(score !== 'concat' && ignored) },
      Wp: { shape: 'Ap D', ...(local !== 'predictive' && ignored) },
      vp: { shape: 'Ap', ...(local !== 'predictive' && ignored) },
    }
  },
  params: {
    score: choice(['dot', 'general', 'concat']),
    local: choice(['none', 'monotonic', 'predictive'], { default: 'none' }),
    localWindow: integer({
      default: 0,
      min: 0,
      perCall: true,
      used: dynamic("local is not 'none'", c => c.choice('local') !== 'none'),
    }),
    positionOffset: integer({
      default: 0,
      min: 0,
      perCall: true,
      used: dynamic("local is 'monotonic'", c => c.choice('local') === 'monotonic'),
    }),
  },
  check(c) {
    const [size, keySize] = [c.dim('D'), c.dim('Dk')]
    if (c.choice('score') === 'dot' && size !== keySize)
      c.fail('key', 'ERR_FOVEA_SHAPE', `have rows of ${size}, as the queries have`, keySize)
    const reach = c.number('localWindow')
    if (c.choice('local') === 'predictive' && reach < 1)
      c.fail('localWindow', 'ERR_FOVEA_OPTION', "be at least 1 where local is 'predictive'", reach)
  },
})
