import type { Weights } from '../core/call/prepared.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'
import {
  channelsOfGroup,
  checkGroups,
  convolutionParams,
  convolvedSizes,
} from './shared/convolution.ts'

/** Weights of {@link conv3d}. */
export interface Conv3dWeights {
  /** `[Cout, Cin / groups, kD, kH, kW]`. */
  readonly weight: TensorLike
  /** `[Cout]`. */
  readonly bias?: TensorLike | undefined
}

/** Parameters of {@link conv3d}; one number stands for all axes. */
export interface Conv3dOptions {
  /** Positions from one window to the next. Default 1. */
  readonly stride?: number | readonly [number, number, number] | undefined
  /** Zeros around x, on both sides of each axis. Default 0. */
  readonly padding?: number | readonly [number, number, number] | undefined
  /** Positions from one tap of the kernel to the next. Default 1. */
  readonly dilation?: number | readonly [number, number, number] | undefined
  /**
   * Group g reads input channels `g * Cin / groups` and following, and writes output channels
   * `g * Cout / groups` and following. Default: what the channels of x and weight imply, or 1.
   */
  readonly groups?: number | undefined
}

/**
 * Convolution over three axes (cross-correlation, as in every framework) with zero padding:
 *
 *     out[b, o, p] = bias[o] + sum over c, t of weight[o, c, t] * x[b, c, p * stride - padding + t * dilation]
 *
 * `x` is `[B, Cin, D, H, W]`, `weight` `[Cout, Cin / groups, kD, kH, kW]`, `bias` `[Cout]`, `out`
 * `[B, Cout, ...]` with `floor((n + 2 * padding - dilation * (k - 1) - 1) / stride) + 1` positions along
 * an axis of n.
 *
 * Scratch: the packed weights (those of a group rounded up to multiples of 8 or 16 output channels), unless they
 * are prepared; and 0.9 MB for each thread, more only where a single row of all taps is larger.
 *
 * @throws RangeError ERR_FOVEA_SHAPE where the kernel does not fit into the padded x,
 * ERR_FOVEA_WEIGHT_SHAPE where the weights do not suit x and groups, ERR_FOVEA_OPTION where groups do not
 * divide the channels. TypeError ERR_FOVEA_WEIGHT_MISSING without weight.
 * @example
 * ```ts
 * import { conv3d, tensor } from 'fovea'
 * const x = tensor(new Float32Array(2 * 5 * 5 * 5).fill(1), [1, 2, 5, 5, 5])
 * const weight = tensor(new Float32Array(3 * 2 * 3 * 3 * 3).fill(0.5), [3, 2, 3, 3, 3])
 * const { out } = conv3d(x, { weight }, { padding: 1 }) // [1, 3, 5, 5, 5]
 * ```
 */
export const conv3d = operation<
  [x: TensorLike, weights: Weights<Conv3dWeights, 'conv3d'>],
  Conv3dOptions
>({
  name: 'conv3d',
  summary: 'Convolution over three axes: stride, padding, dilation, groups',
  tensors: { x: { shape: 'B Cin D H W' } },
  outputs: { out: { shape: 'B Cout outD outH outW' } },
  weights: {
    weight: { shape: 'Cout Cg kD kH kW' },
    bias: { shape: 'Cout', optional: true },
  },
  params: convolutionParams(3),
  derived: {
    Cg: channelsOfGroup,
    ...convolvedSizes(['D', 'H', 'W']),
  },
  nonEmpty: ['H'],
  checkWeights: checkGroups,
})
