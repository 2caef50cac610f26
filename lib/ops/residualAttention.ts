import { choice, dynamic, number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Parameters of {@link residualAttention}. */
export interface ResidualAttentionOptions {
  /** How the mask is made of its logits (eqs. 4, 5 and 6). Default mixed. */
  readonly activation?: 'mixed' | 'channel' | 'spatial' | undefined
  /** Above 0; default 1e-12 under channel and 1e-5 under spatial. Unused under mixed. */
  readonly eps?: number | undefined
}

/** Outputs of {@link residualAttention}. */
export interface ResidualAttentionOutputs {
  /** [B, C, H, W]. */
  out: Output
  /** [B, C, H, W]. */
  mask?: Output
}

/**
 * Attention residual learning of the Residual Attention Network: a mask that can only strengthen what
 * the trunk found, `out = (1 + mask) * trunk` (eq. 3), with one of three mask activations:
 *
 *     mixed     mask = sigmoid(m)                                             (eq. 4)
 *     channel   mask = m / max(sqrt(sum over channels of m^2), eps)           (eq. 5)
 *     spatial   mask = sigmoid((m - mean) / sqrt(variance + eps))             (eq. 6)
 *
 * m being maskLogits; mean and variance (population) are those of a channel over its positions. Under
 * channel the mask may be negative.
 *
 * Shapes: trunk, maskLogits, mask and out [B, C, H, W]. `into.out` may be trunk itself. Costs one pass
 * over trunk and maskLogits, one more over maskLogits under channel and spatial. Scratch: B H W floats
 * under channel, 3 B C floats under spatial; for each thread 40 KB.
 *
 * Wang et al. 2017, Residual Attention Network for Image Classification (arXiv 1704.06904), eqs. 3-6; the
 * paper gives no eps, these are those of torch's normalize and instance_norm.
 *
 * @throws RangeError ERR_FOVEA_SHAPE where maskLogits and trunk differ or an axis but B is 0,
 * ERR_FOVEA_OPTION where eps is not above 0.
 * @example
 * ```ts
 * import { residualAttention, tensor } from 'fovea'
 * const trunk = tensor(Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2])
 * const maskLogits = tensor(new Float32Array(4), [1, 1, 2, 2])
 * const { out } = residualAttention(trunk, maskLogits) // 1.5, 3, 4.5, 6
 * ```
 */
export const residualAttention = operation<
  [trunk: TensorLike, maskLogits: TensorLike],
  ResidualAttentionOptions,
  ResidualAttentionOutputs
>({
  name: 'residualAttention',
  summary: 'A trunk strengthened by a soft mask: (1 + mask) * trunk',
  paper: 'Wang et al. 2017 (arXiv 1704.06904), eqs. 3-6',
  tensors: { trunk: { shape: 'B C H W' }, maskLogits: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'trunk' },
    mask: { shape: 'B C H W', optional: true },
  },
  params: {
    activation: choice(['mixed', 'channel', 'spatial'], { default: 'mixed' }),
    eps: number({
      above: 0,
      default: dynamic('1e-12 under channel, 1e-5 under spatial', c =>
        c.choice('activation') === 'channel' ? 1e-12 : 1e-5,
      ),
      used: dynamic('under channel and spatial', c => c.choice('activation') !== 'mixed'),
    }),
  },
  nonEmpty: ['H'],
})
