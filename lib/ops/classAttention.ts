import type { Weights } from '../core/call/prepared.ts'
import { integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Names of timm's ClassAttn. */
export interface ClassAttentionWeights {
  /** [C, C]. */
  readonly 'q.weight': TensorLike
  /** [C, C]. */
  readonly 'k.weight': TensorLike
  /** [C, C]. */
  readonly 'v.weight': TensorLike
  /** [C, C]. */
  readonly 'proj.weight': TensorLike
  /** [C]. */
  readonly 'proj.bias': TensorLike
  /** [C]. */
  readonly 'q.bias'?: TensorLike | undefined
  /** [C]; adds the same to every score of a head, so the result does not depend on it. */
  readonly 'k.bias'?: TensorLike | undefined
  /** [C]. */
  readonly 'v.bias'?: TensorLike | undefined
}

/** Parameters of {@link classAttention}. */
export interface ClassAttentionOptions {
  /** Divides C. */
  readonly heads: number
}

/**
 * Class attention (CaiT, Touvron et al. 2021, sec. 3), as timm's ClassAttn: the class token alone asks, of
 * all tokens, itself included.
 *
 *     out = proj(concat_h(softmax(q_h K_h^T / sqrt(D)) V_h)),   q = Wq x_0 + bq,  K = x Wk^T + bk,  V = x Wv^T + bv
 *
 *           cls patches
 *     cls    ■  ■ ■ ■ ■ ■       one row: no other token is a query
 *
 * Shapes: x [B, 1 + N, C], the class token first; out [B, 1, C]. Neither keys nor values are computed: the
 * key projection is folded into the query, and the value projection is applied to the averaged tokens, so
 * a token costs 4 H C operations instead of 4 C^2.
 *
 * Scratch: 8 C (1 + H) B bytes, with plain weights the packed weights too; 0.8 MB a thread.
 *
 * @throws RangeError ERR_FOVEA_OPTION where heads does not divide C; ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { classAttention, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const weights = {
 *   'q.weight': full(8, 8),
 *   'k.weight': full(8, 8),
 *   'v.weight': full(8, 8),
 *   'proj.weight': full(8, 8),
 *   'proj.bias': full(8),
 * }
 * const { out } = classAttention(full(1, 10, 8), weights, { heads: 2 }) // [1, 1, 8]
 * ```
 */
export const classAttention = operation<
  [x: TensorLike, weights: Weights<ClassAttentionWeights, 'classAttention'>],
  ClassAttentionOptions
>({
  name: 'classAttention',
  summary: 'Attention of the class token to all tokens, with its projections',
  paper: 'Touvron et al. 2021, Going deeper with Image Transformers, sec. 3',
  tensors: { x: { shape: 'B 1+N C' } },
  outputs: { out: { shape: 'B 1 C' } },
  weights: {
    'q.weight': { shape: 'C C' },
    'q.bias': { shape: 'C', optional: true },
    'k.weight': { shape: 'C C' },
    'k.bias': { shape: 'C', optional: true },
    'v.weight': { shape: 'C C' },
    'v.bias': { shape: 'C', optional: true },
    'proj.weight': { shape: 'C C' },
    'proj.bias': { shape: 'C' },
  },
  params: { heads: integer({ min: 1 }) },
  checkWeights(c) {
    const [width, heads] = [c.dim('C'), c.number('heads')]
    if (width % heads !== 0) c.fail('heads', 'ERR_FOVEA_OPTION', `divide the width ${width}`, heads)
  },
})
