import { number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Parameters of {@link crossCovarianceAttention}. */
export interface CrossCovarianceAttentionOptions {
  /** Least norm of a channel: one that is all zero scores 0 everywhere. Default 1e-12. */
  readonly eps?: number | undefined
}

/**
 * Cross-covariance attention, attention between channels (XCiT, El-Nouby et al. 2021, eq. 2).
 *
 * Shapes: query, key, value and out [B, H, N, D], temperature [H]. With every channel of query and key
 * divided by its norm over the N tokens,
 *
 *     out[n, c] = sum_e softmax_e(temperature[h] * sum_m query[m, c] key[m, e]) value[n, e]
 *
 * so each channel looks at all channels of its head, none at tokens, and the cost is linear in N:
 *
 *     channels c, e:   ■ ■ ■      (D x D weights a head, whatever N)
 *                      ■ ■ ■
 *                      ■ ■ ■
 *
 * The temperature multiplies (the paper divides by tau) and may be 0 or negative. Scratch: P (D + 6) + 6144
 * floats a thread, P being D rounded up to a multiple of 48, and that of a matrix product, at most 3.3 MB.
 *
 * @throws RangeError ERR_FOVEA_SHAPE, ERR_FOVEA_OPTION.
 * @example
 * ```ts
 * import { crossCovarianceAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(4 * 100 * 16).fill(0.1), [1, 4, 100, 16])
 * const { out } = crossCovarianceAttention(x, x, x, tensor(new Float32Array(4).fill(1), [4]))
 * ```
 */
export const crossCovarianceAttention = operation<
  [query: TensorLike, key: TensorLike, value: TensorLike, temperature: TensorLike],
  CrossCovarianceAttentionOptions
>({
  name: 'crossCovarianceAttention',
  summary: 'Attention between channels instead of tokens',
  paper: 'El-Nouby et al. 2021, XCiT: Cross-Covariance Image Transformers, eq. 2',
  tensors: {
    query: { shape: 'B H N D' },
    key: { shape: 'B H N D' },
    value: { shape: 'B H N D' },
    temperature: { shape: 'H' },
  },
  outputs: { out: { shape: 'B H N D' } },
  params: { eps: number({ default: 1e-12, above: 0 }) },
})
