import type { Weights } from '../core/call/prepared.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Weights of {@link locationAttention}. */
export interface LocationAttentionWeights {
  /** [Lmax, D], Lmax >= Lk: row j scores position j. */
  readonly W: TensorLike
}

/** Optional tensors of {@link locationAttention}. */
export interface LocationAttentionOptions {
  /** Int32Array [B]: the first so many positions of a batch entry exist (0..Lk). */
  readonly keyLengths?: TensorLike | undefined
}

/** Outputs of {@link locationAttention}. */
export interface LocationAttentionOutputs {
  /** [B, Lq, Dv]. */
  out: Output
  /** [B, Lq, Lk]. */
  attentionWeights?: Output
}

/**
 * Location-based attention (Luong et al. 2015, eq. 8): a query chooses positions without looking at what is
 * there.
 *
 *     attentionWeights_i = softmax_j(W_j . q_i),   out_i = sum_j attentionWeights_ij value_j
 *
 *     ■ ■ ■ .
 *     ■ ■ ■ .      every query sees the positions before keyLengths (here 3)
 *
 * Shapes: query [B, Lq, D], value [B, Lk, Dv]. Of W the first Lk rows count; they are the keys, read where they
 * lie. keyLengths of 0 give zeros. Scratch: 0.8 MB a thread; 4 x 48 Lk bytes a thread for attentionWeights.
 *
 * @throws RangeError ERR_FOVEA_WEIGHT_SHAPE where W has fewer than Lk rows; ERR_FOVEA_BOUNDS for a key length
 * outside 0..Lk. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { locationAttention, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const { out } = locationAttention(full(1, 3, 8), full(1, 5, 4), { W: full(20, 8) }) // [1, 3, 4]
 * ```
 */
export const locationAttention = operation<
  [
    query: TensorLike,
    value: TensorLike,
    weights: Weights<LocationAttentionWeights, 'locationAttention'>,
  ],
  LocationAttentionOptions,
  LocationAttentionOutputs
>({
  name: 'locationAttention',
  summary: 'Scores of positions, whatever stands there',
  paper:
    'Luong et al. 2015, Effective Approaches to Attention-based Neural Machine Translation, eq. 8',
  tensors: {
    query: { shape: 'B Lq D' },
    value: { shape: 'B Lk Dv' },
    keyLengths: { shape: 'B', dtype: 'int32', optional: true, min: 0, max: 'Lk' },
  },
  outputs: {
    out: { shape: 'B Lq Dv' },
    attentionWeights: { shape: 'B Lq Lk', optional: true },
  },
  weights: { W: { shape: 'Lmax D' } },
  check(c) {
    const [positions, length] = [c.dim('Lmax'), c.dim('Lk')]
    if (positions < length)
      c.fail('weights.W', 'ERR_FOVEA_WEIGHT_SHAPE', `have at least Lk = ${length} rows`, positions)
  },
})
