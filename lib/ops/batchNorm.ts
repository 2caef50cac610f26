import type { Weights } from '../core/call/prepared.ts'
import { number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Weights of {@link batchNorm}, each `[C]`. */
export interface BatchNormWeights {
  readonly running_mean: TensorLike
  readonly running_var: TensorLike
  /** With `bias`, or neither. */
  readonly weight?: TensorLike | undefined
  readonly bias?: TensorLike | undefined
}

/** Parameters of {@link batchNorm}. */
export interface BatchNormOptions {
  /** Added to the variance; above 0, default 1e-5. */
  readonly eps?: number | undefined
}

/**
 * Batch normalisation at inference, by running statistics:
 * `out = (x - running_mean) / sqrt(running_var + eps) * weight + bias`, for each channel.
 *
 * `x` is `[B, C]`, `[B, C, H, W]` or `[B, C, D, H, W]`, `out` has its shape. The mean may lie far above
 * the deviation. `into.out` may be `x` itself. A checkpoint's `num_batches_tracked` is ignored.
 *
 * Scratch: the weights, unless they are prepared; and for each thread at most 256 KiB or 16 rows.
 *
 * Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 2.
 *
 * @throws RangeError ERR_FOVEA_RANK for other ranks, ERR_FOVEA_WEIGHT_SHAPE where a weight is not `[C]`,
 * ERR_FOVEA_OPTION where eps is not above 0. TypeError ERR_FOVEA_WEIGHT_MISSING without the statistics, or
 * for one of weight and bias without the other.
 * @example
 * ```ts
 * import { batchNorm, tensor } from 'fovea'
 * const vector = (value: number) => tensor(new Float32Array(2).fill(value), [2])
 * const x = tensor(new Float32Array([1, 2, 3, 4]), [1, 2, 1, 2])
 * const { out } = batchNorm(x, { running_mean: vector(1), running_var: vector(4) }) // about 0, 0.5, 1, 1.5
 * ```
 */
export const batchNorm = operation<
  [x: TensorLike, weights: Weights<BatchNormWeights, 'batchNorm'>],
  BatchNormOptions
>({
  name: 'batchNorm',
  summary: 'Channels normalised by running statistics, then scaled and shifted',
  paper: 'Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 2',
  tensors: { x: { shape: 'B C *S', ranks: [2, 5] } },
  outputs: { out: { shape: 'B C *S', inPlace: 'x' } },
  weights: {
    running_mean: { shape: 'C' },
    running_var: { shape: 'C' },
    weight: { shape: 'C', optional: 'affine' },
    bias: { shape: 'C', optional: 'affine' },
  },
  params: { eps: number({ default: 1e-5, above: 0 }) },
  check(c) {
    const shape = c.shape('x')!
    if (shape.length === 3) c.fail('x', 'ERR_FOVEA_RANK', 'have rank 2, 4 or 5', shape)
  },
})
