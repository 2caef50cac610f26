import type { Weights } from '../core/call/prepared.ts'
import { boolean } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Weights of {@link additiveAttention}. */
export interface AdditiveAttentionWeights {
  /** [A, Dq], W_a of the paper. */
  readonly Wq: TensorLike
  /** [A, Dk], U_a of the paper. */
  readonly Wk: TensorLike
  /** [A], v_a of the paper. */
  readonly v: TensorLike
  /** [A]; required with normalize. */
  readonly b?: TensorLike | undefined
  /** [1]; required with normalize, otherwise ignored. */
  readonly g?: TensorLike | undefined
}

/** Optional tensors and parameters of {@link additiveAttention}. */
export interface AdditiveAttentionOptions {
  /** Int32Array [B]: the first so many keys of a batch entry exist (0..Lk). */
  readonly keyLengths?: TensorLike | undefined
  /** Takes g v / |v| for v. Default false. */
  readonly normalize?: boolean | undefined
}

/** Outputs of {@link additiveAttention}. */
export interface AdditiveAttentionOutputs {
  /** [B, Lq, Dv]. */
  out: Output
  /** [B, Lq, Lk]. */
  attentionWeights?: Output
}

/**
 * Additive attention (Bahdanau et al. 2015, eqs. 5-6 and A.1.2), also weight-normalised:
 *
 *     s_ij = v' . tanh(Wq q_i + Wk k_j + b),   v' = v, or g v / |v| with normalize
 *     attentionWeights_i = softmax_j(s_ij),   out_i = sum_j attentionWeights_ij value_j
 *
 *     ■ ■ ■ .
 *     ■ ■ ■ .      every query sees the keys before keyLengths (here 3)
 *     ■ ■ ■ .
 *
 * Shapes: query [B, Lq, Dq], key [B, Lk, Dk], value [B, Lk, Dv]. keyLengths of 0 give zeros.
 *
 * Queries and keys are projected once; a term of a score then costs one exponential and half a division, and
 * none is stored. Scratch: 4 A B Lq bytes, with plain weights the packed weights too; for up to 8 queries
 * 4 B Lq Lk bytes, and 1152 A a thread; for more 4 A B Lk bytes, and 1 MB a thread; 4 x 48 Lk bytes a thread
 * more for attentionWeights.
 *
 * @throws RangeError ERR_FOVEA_BOUNDS for a key length outside 0..Lk, or for v of zeros with normalize;
 * ERR_FOVEA_WEIGHT_SHAPE. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { additiveAttention, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const weights = { Wq: full(16, 8), Wk: full(16, 6), v: full(16) }
 * const { out } = additiveAttention(full(1, 3, 8), full(1, 5, 6), full(1, 5, 4), weights) // [1, 3, 4]
 * ```
 */
export const additiveAttention = operation<
  [
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    weights: Weights<AdditiveAttentionWeights, 'additiveAttention'>,
  ],
  AdditiveAttentionOptions,
  AdditiveAttentionOutputs
>({
  name: 'additiveAttention',
  summary: 'Scores by a small network of query and key, also weight-normalised',
  paper:
    'Bahdanau et al. 2015, Neural Machine Translation by Jointly Learning to Align and Translate, eqs. 5-6',
  tensors: {
    query: { shape: 'B Lq Dq' },
    key: { shape: 'B Lk Dk' },
    value: { shape: 'B Lk Dv' },
    keyLengths: { shape: 'B', dtype: 'int32', optional: true, min: 0, max: 'Lk' },
  },
  outputs: {
    out: { shape: 'B Lq Dv' },
    attentionWeights: { shape: 'B Lq Lk', optional: true },
  },
  weights(c) {
    const optional = !c.flag('normalize')
    return {
      Wq: { shape: 'A Dq' },
      Wk: { shape: 'A Dk' },
      v: { shape: 'A' },
      b: { shape: 'A', optional },
      g: { shape: '1', optional, unused: optional },
    }
  },
  params: { normalize: boolean({ default: false }) },
  checkWeights(c) {
    const v = c.flag('normalize') ? c.floats('v') : undefined
    if (v?.every(element => element === 0))
      c.fail('weights.v', 'ERR_FOVEA_BOUNDS', 'have a length to divide by', 'zeros')
  },
})
