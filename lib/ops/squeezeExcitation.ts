import type { Weights } from '../core/call/prepared.ts'
import { choice } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Names of timm and torchvision; layers stored as `[R, C]` or as 1 x 1 convolutions. */
export interface SqueezeExcitationWeights {
  /** `[R, C]` or `[R, C, 1, 1]`; any R. */
  readonly 'fc1.weight': TensorLike
  /** `[R]`. */
  readonly 'fc1.bias'?: TensorLike | undefined
  /** `[C, R]` or `[C, R, 1, 1]`. */
  readonly 'fc2.weight': TensorLike
  /** `[C]`. */
  readonly 'fc2.bias'?: TensorLike | undefined
}

/** Parameters of {@link squeezeExcitation}. */
export interface SqueezeExcitationOptions {
  /** What makes a gate of the second layer's result. Default `'sigmoid'`. */
  readonly gate?: 'sigmoid' | 'hardSigmoid' | undefined
  /** Between the two layers. Default `'relu'`. */
  readonly activation?: 'relu' | 'silu' | undefined
}

/** What {@link squeezeExcitation} returns. */
export interface SqueezeExcitationOutputs {
  /** `[B, C, H, W]`. */
  out: Output
  /** `[B, C]`. */
  gate?: Output
}

/**
 * Squeeze and excitation (SENet, Hu et al. 2018, eq. 2-4): channel attention.
 *
 *     gate = sigmoid(fc2 relu(fc1 mean(x) + b1) + b2)      out[b, c, ...] = x[b, c, ...] * gate[b, c]
 *
 * `x` and `out` are `[B, C, H, W]`, the mean is over all positions. `into.out` may be `x` itself.
 *
 * x is read twice and written once; entries that fit into a cache, or the end of one that does not, come
 * from there the second time. Scratch: a few vectors for every entry, and the packed weights unless they
 * are prepared; for each thread at most 32 KiB.
 *
 * @throws RangeError ERR_FOVEA_WEIGHT_SHAPE where the layers do not fit x or one another, ERR_FOVEA_SHAPE for a
 * map without positions. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { squeezeExcitation, tensor } from 'fovea'
 * const full = (value: number, ...shape: number[]) =>
 *   tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(value), shape)
 * const weights = { 'fc1.weight': full(0.1, 2, 8), 'fc2.weight': full(0, 8, 2) }
 * const { out } = squeezeExcitation(full(3, 1, 8, 5, 5), weights)
 * console.log(out.data[0]) // => 1.5
 * ```
 */
export const squeezeExcitation = operation<
  [x: TensorLike, weights: Weights<SqueezeExcitationWeights, 'squeezeExcitation'>],
  SqueezeExcitationOptions,
  SqueezeExcitationOutputs
>({
  name: 'squeezeExcitation',
  summary: 'Channels gated by two layers over their means',
  paper: 'Hu et al. 2018, Squeeze-and-Excitation Networks (arXiv 1709.01507), eq. 2-4',
  tensors: { x: { shape: 'B C H W' } },
  outputs: { out: { shape: 'B C H W', inPlace: 'x' }, gate: { shape: 'B C', optional: true } },
  weights: {
    'fc1.weight': { shape: ['R C', 'R C 1 1'] },
    'fc1.bias': { shape: 'R', optional: true },
    'fc2.weight': { shape: ['C R', 'C R 1 1'] },
    'fc2.bias': { shape: 'C', optional: true },
  },
  params: {
    gate: choice(['sigmoid', 'hardSigmoid'], { default: 'sigmoid' }),
    activation: choice(['relu', 'silu'], { default: 'relu' }),
  },
  nonEmpty: ['H'],
})
