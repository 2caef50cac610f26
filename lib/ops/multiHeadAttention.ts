import type { Weights } from '../core/call/prepared.ts'
import { boolean, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** The state_dict of torch.nn.MultiheadAttention, as it is. */
export interface MultiHeadAttentionWeights {
  /** [3 E, E], rows of the query, key and value projections. */
  readonly in_proj_weight: TensorLike
  /** [E, E]. */
  readonly 'out_proj.weight': TensorLike
  /** [3 E], with out_proj.bias or neither. */
  readonly in_proj_bias?: TensorLike | undefined
  /** [E]. */
  readonly 'out_proj.bias'?: TensorLike | undefined
}

/** Optional tensors and parameters of {@link multiHeadAttention}. */
export interface MultiHeadAttentionOptions {
  /** Int32Array [B]: the first so many keys of a batch entry exist (1..Lk). */
  readonly keyLengths?: TensorLike | undefined
  /** Divides E. */
  readonly heads: number
  /** Query i sees keys j <= i, also where there are more keys than queries (as torch). Default false. */
  readonly causal?: boolean | undefined
}

/** Outputs of {@link multiHeadAttention}. */
export interface MultiHeadAttentionOutputs {
  /** [B, Lq, E]. */
  out: Output
  /** [B, Lq, Lk], the mean over the heads of the softmax. */
  attentionWeights?: Output
}

/**
 * Multi-head attention with its projections, as torch.nn.MultiheadAttention in evaluation with
 * batch_first (Vaswani et al. 2017, sec. 3.2.2):
 *
 *     out = concat_h(softmax(Q_h K_h^T / sqrt(D)) V_h) W_o^T + b_o,   Q = query W_q^T + b_q, ...
 *
 * Shapes: query [B, Lq, E], key and value [B, Lk, E]; head h is columns h D .. (h + 1) D - 1 of each
 * projection, D = E / heads. Scratch: the projections and the joined heads, 4 E (2 Lq + 2 Lk) B bytes,
 * with plain weights the packed weights too; attentionWeights need 2 x 48 Lk floats a thread more.
 *
 * @throws RangeError ERR_FOVEA_OPTION where heads does not divide E; ERR_FOVEA_BOUNDS for a key length of
 * 0; ERR_FOVEA_WEIGHT_SHAPE. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { multiHeadAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(5 * 8).fill(0.1), [1, 5, 8])
 * const weights = {
 *   in_proj_weight: tensor(new Float32Array(24 * 8).fill(0.1), [24, 8]),
 *   'out_proj.weight': tensor(new Float32Array(8 * 8).fill(0.1), [8, 8]),
 * }
 * const { out } = multiHeadAttention(x, x, x, weights, { heads: 2 })
 * ```
 */
export const multiHeadAttention = operation<
  [
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    weights: Weights<MultiHeadAttentionWeights, 'multiHeadAttention'>,
  ],
  MultiHeadAttentionOptions,
  MultiHeadAttentionOutputs
>({
  name: 'multiHeadAttention',
  summary: 'Attention with its projections, as torch.nn.MultiheadAttention',
  paper: 'Vaswani et al. 2017, Attention Is All You Need, sec. 3.2.2',
  tensors: {
    query: { shape: 'B Lq E' },
    key: { shape: 'B Lk E' },
    value: { shape: 'B Lk E' },
    keyLengths: { shape: 'B', dtype: 'int32', optional: true, min: 1, max: 'Lk' },
  },
  outputs: {
    out: { shape: 'B Lq E' },
    attentionWeights: { shape: 'B Lq Lk', optional: true },
  },
  weights: {
    in_proj_weight: { shape: '3E E' },
    'out_proj.weight': { shape: 'E E' },
    in_proj_bias: { shape: '3E', optional: 'bias' },
    'out_proj.bias': { shape: 'E', optional: 'bias' },
  },
  params: { heads: integer({ min: 1 }), causal: boolean({ default: false }) },
  nonEmpty: ['Lk'],
  check(c) {
    const [width, heads] = [c.dim('E'), c.number('heads')]
    if (width % heads !== 0) c.fail('heads', 'ERR_FOVEA_OPTION', `divide the width ${width}`, heads)
  },
})
