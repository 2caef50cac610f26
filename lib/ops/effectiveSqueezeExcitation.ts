import type { Weights } from '../core/call/prepared.ts'
import { choice } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Names of timm's EffectiveSEModule. */
export interface EffectiveSqueezeExcitationWeights {
  /** `[C, C, 1, 1]`. */
  readonly 'fc.weight': TensorLike
  /** `[C]`. */
  readonly 'fc.bias': TensorLike
}

/** Parameters of {@link effectiveSqueezeExcitation}. */
export interface EffectiveSqueezeExcitationOptions {
  /** What makes a gate of the layer's result. Default `'hardSigmoid'`, `min(max(v + 3, 0), 6) / 6`. */
  readonly gate?: 'hardSigmoid' | 'sigmoid' | undefined
}

/** What {@link effectiveSqueezeExcitation} returns. */
export interface EffectiveSqueezeExcitationOutputs {
  /** `[B, C, H, W]`. */
  out: Output
  /** `[B, C]`. */
  gate?: Output
}

/**
 * Effective squeeze and excitation (eSE, Lee and Park 2020): channel attention by a single layer that keeps
 * all channels.
 *
 *     gate = hardSigmoid(fc mean(x) + b)      out[b, c, ...] = x[b, c, ...] * gate[b, c]
 *
 * `x` and `out` are `[B, C, H, W]`, the mean is over all positions. `into.out` may be `x` itself.
 *
 * x is read twice and written once; entries that fit into a cache, or the end of one that does not, come
 * from there the second time. Scratch: a few vectors for every entry, and the packed weights unless they
 * are prepared; for each thread at most 32 KiB.
 *
 * @throws RangeError ERR_FOVEA_WEIGHT_SHAPE where the layer is not one of C channels, ERR_FOVEA_SHAPE for a map
 * without positions. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { effectiveSqueezeExcitation, tensor } from 'fovea'
 * const full = (value: number, ...shape: number[]) =>
 *   tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(value), shape)
 * const weights = { 'fc.weight': full(0, 8, 8, 1, 1), 'fc.bias': full(0, 8) }
 * const { out } = effectiveSqueezeExcitation(full(3, 1, 8, 5, 5), weights)
 * console.log(out.data[0]) // => 1.5
 * ```
 */
export const effectiveSqueezeExcitation = operation<
  [
    x: TensorLike,
    weights: Weights<EffectiveSqueezeExcitationWeights, 'effectiveSqueezeExcitation'>,
  ],
  EffectiveSqueezeExcitationOptions,
  EffectiveSqueezeExcitationOutputs
>({
  name: 'effectiveSqueezeExcitation',
  summary: 'Channels gated by one layer over their means',
  paper: 'Lee and Park 2020, CenterMask (arXiv 1911.06667), section 3.3',
  tensors: { x: { shape: 'B C H W' } },
  outputs: { out: { shape: 'B C H W', inPlace: 'x' }, gate: { shape: 'B C', optional: true } },
  weights: { 'fc.weight': { shape: 'C C 1 1' }, 'fc.bias': { shape: 'C' } },
  params: { gate: choice(['hardSigmoid', 'sigmoid'], { default: 'hardSigmoid' }) },
  nonEmpty: ['H'],
})
