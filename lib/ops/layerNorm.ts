import type { Weights } from '../core/call/prepared.ts'
import { number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Both or neither, `[N]`. */
export interface LayerNormWeights {
  readonly weight?: TensorLike | undefined
  readonly bias?: TensorLike | undefined
}

/** Parameters of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance; above 0, default 1e-5. */
  readonly eps?: number | undefined
}

/**
 * Layer normalisation over the last axis: `out = (x - mean) / sqrt(variance + eps) * weight + bias`, with
 * the mean and the population variance (divided by N) of each row.
 *
 * `x` is `[..., N]` of any rank from 1, `out` has its shape, `weight` and `bias` are `[N]`, both or
 * neither. The mean may lie far above the deviation; a constant row gives the bias. `into.out` may be `x`
 * itself.
 *
 * Scratch: the weights, unless they are prepared; and for each thread nothing where the last axis is
 * contiguous, otherwise up to 16 rows, at most 64 Ki floats or one row.
 *
 * Ba, Kiros and Hinton 2016 (arXiv 1607.06450), equation 4.
 *
 * @throws RangeError ERR_FOVEA_RANK for rank 0, ERR_FOVEA_SHAPE where N is 0, ERR_FOVEA_WEIGHT_SHAPE where
 * a weight is not `[N]`, ERR_FOVEA_OPTION where eps is not above 0. TypeError ERR_FOVEA_WEIGHT_MISSING for
 * one weight without the other.
 * @example
 * ```ts
 * import { layerNorm, tensor } from 'fovea'
 * const { out } = layerNorm(tensor(Float32Array.of(1, 2, 3, 4), [2, 2]))
 * console.log(Array.from(out.data, v => v.toFixed(3)).join(' ')) // => -1.000 1.000 -1.000 1.000
 * ```
 */
export const layerNorm = operation<
  [x: TensorLike, weights?: Weights<LayerNormWeights, 'layerNorm'> | null],
  LayerNormOptions
>({
  name: 'layerNorm',
  summary: 'Rows brought to mean 0 and variance 1, then scaled and shifted',
  paper: 'Ba, Kiros and Hinton 2016 (arXiv 1607.06450), equation 4',
  tensors: { x: { shape: '... N' } },
  outputs: { out: { shape: '... N', inPlace: 'x' } },
  weights: {
    weight: { shape: 'N', optional: 'affine' },
    bias: { shape: 'N', optional: 'affine' },
  },
  params: { eps: number({ default: 1e-5, above: 0 }) },
  nonEmpty: ['N'],
})
