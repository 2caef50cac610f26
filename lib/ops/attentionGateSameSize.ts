import type { Weights } from '../core/call/prepared.ts'
import type { WeightSpec } from '../core/declaration/definition.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { bnEps, type NormNames, normWeights } from './shared/norm.ts'

type Projection = 'W_g' | 'W_x' | 'psi'

/** The state_dict of monai's AttentionBlock; convolutions `[Ci, Cg, 1...]`, `[Ci, Cx, 1...]`, `[1, Ci, 1...]`. */
export type AttentionGateSameSizeWeights = Readonly<
  Record<`${Projection}.0.conv.${'weight' | 'bias'}` | NormNames<`${Projection}.1`>, TensorLike>
>

/** Parameters of {@link attentionGateSameSize}. */
export interface AttentionGateSameSizeOptions {
  /** The eps of all norms; above 0, default 1e-5. */
  readonly bnEps?: number | undefined
}

/** What {@link attentionGateSameSize} returns. */
export interface AttentionGateSameSizeOutputs {
  /** The shape of x. */
  out: Output
  /** `[B, 1, ...]` over the positions of x. */
  attention?: Output
}

/** A convolution of one tap and the norm behind it. */
const projection = (name: Projection, out: string, ins: string): Record<string, WeightSpec> => ({
  [`${name}.0.conv.weight`]: { shape: [`${out} ${ins} 1 1`, `${out} ${ins} 1 1 1`] },
  [`${name}.0.conv.bias`]: { shape: out },
  ...normWeights(`${name}.1`, out),
})

/**
 * The attention gate of Attention U-Net where gating and x have one size, as monai's AttentionBlock and most
 * re-implementations have it:
 *
 *     attention = sigmoid(norm(psi relu(norm(W_g gating) + norm(W_x x))))      out = x * attention
 *
 * `x` and `out` are `[B, Cx, H, W]` or `[B, Cx, D, H, W]`, `gating` is `[B, Cg, ...]` of the same spatial size,
 * `attention` `[B, 1, ...]`. `into.out` may be `x` itself. monai's forward takes gating first.
 *
 * Scratch: for each thread, entries of 1 MB of x together, or a single larger one: Ci + 1 channels of
 * positions; the packed weights unless they are prepared; for each thread that of conv2d.
 *
 * Oktay et al. 2018 (arXiv 1804.03999), eq. 1-2.
 *
 * @throws RangeError ERR_FOVEA_SHAPE where the sizes of x and gating differ, ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { attentionGateSameSize, tensor } from 'fovea'
 * const full = (value: number, ...shape: number[]) =>
 *   tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(value), shape)
 * const projection = (name: string, out: number, ins: number) => ({
 *   [`${name}.0.conv.weight`]: full(0, out, ins, 1, 1),
 *   [`${name}.0.conv.bias`]: full(0, out),
 *   [`${name}.1.weight`]: full(1, out),
 *   [`${name}.1.bias`]: full(0, out),
 *   [`${name}.1.running_mean`]: full(0, out),
 *   [`${name}.1.running_var`]: full(1, out),
 * })
 * const weights = { ...projection('W_g', 2, 6), ...projection('W_x', 2, 4), ...projection('psi', 1, 2) }
 * const { out } = attentionGateSameSize(full(3, 1, 4, 8, 8), full(1, 1, 6, 8, 8), weights)
 * console.log(out.data[0]) // => 1.5
 * ```
 */
export const attentionGateSameSize = operation<
  [
    x: TensorLike,
    gating: TensorLike,
    weights: Weights<AttentionGateSameSizeWeights, 'attentionGateSameSize'>,
  ],
  AttentionGateSameSizeOptions,
  AttentionGateSameSizeOutputs
>({
  name: 'attentionGateSameSize',
  summary: 'Additive attention gate over maps of one size',
  paper: 'Oktay et al. 2018, Attention U-Net (arXiv 1804.03999), eq. 1-2, as monai AttentionBlock',
  tensors: { x: { shape: 'B Cx *S', ranks: [4, 5] }, gating: { shape: 'B Cg *S' } },
  outputs: {
    out: { shape: 'B Cx *S', inPlace: 'x' },
    attention: { shape: 'B 1 *S', optional: true },
  },
  weights: {
    ...projection('W_g', 'Ci', 'Cg'),
    ...projection('W_x', 'Ci', 'Cx'),
    ...projection('psi', '1', 'Ci'),
  },
  params: { bnEps: bnEps() },
  checkWeights(c) {
    const rank = (c.shape('x') ?? c.shape('weights.W_g.0.conv.weight')!).length
    for (const name of ['W_g', 'W_x', 'psi']) {
      const argument = `weights.${name}.0.conv.weight`
      const shape = c.shape(argument)!
      if (shape.length === rank) continue
      const rule = `have ${rank} axes${c.preparing ? '' : ', as many as x'}`
      c.fail(argument, 'ERR_FOVEA_WEIGHT_SHAPE', rule, `${shape.length}`)
    }
  },
})
