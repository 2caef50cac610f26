import type { Weights } from '../core/call/prepared.ts'
import type { Context } from '../core/declaration/context.ts'
import { boolean, choice, dynamic, integer, list } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { bnEps, type NormNames, normWeights } from './shared/norm.ts'

/** The state_dict of GridAttentionBlock2D and 3D; `1...` stands for a 1 along each spatial axis. */
export type AttentionGateWeights = Readonly<
  Record<
    // theta [Ci, Cx, subSample...] without a bias, phi [Ci, Cg, 1...], psi [1, Ci, 1...], W [Cx, Cx, 1...]
    | 'theta.weight'
    | 'phi.weight'
    | 'phi.bias'
    | 'psi.weight'
    | 'psi.bias'
    | 'W.0.weight'
    | 'W.0.bias'
    | NormNames<'W.1'>,
    TensorLike
  >
>

/** Parameters of {@link attentionGate}. */
export interface AttentionGateOptions {
  /**
   * `'concatenation'` (default): relu, then sigmoid. `'concatenation_debug'`: softplus for relu.
   * `'concatenation_residual'`: a softmax over the coarse grid for the sigmoid.
   */
  readonly mode?: 'concatenation' | 'concatenation_debug' | 'concatenation_residual' | undefined
  /** Kernel and stride of theta along each spatial axis; implied by theta.weight. */
  readonly subSample?: number | readonly number[] | undefined
  /** How both resizes place their grids. Default false. */
  readonly alignCorners?: boolean | undefined
  /** The eps of the norm; above 0, default 1e-5. */
  readonly bnEps?: number | undefined
}

/** What {@link attentionGate} returns. */
export interface AttentionGateOutputs {
  /** The shape of x. */
  out: Output
  /** `[B, 1, ...]` over the positions of x. */
  attention?: Output
}

/** The kernel of theta, where it is one for the axes of x. */
function kernelOf(c: Context): readonly number[] | undefined {
  const theta = c.shape('weights.theta.weight')
  const { length } = c.shape('x') ?? theta ?? []
  return theta?.length === length && !theta.includes(0) ? theta.slice(2) : undefined
}

/**
 * The additive gate of Attention U-Net (Oktay et al. 2018, eq. 1-2), with the projection that the authors'
 * code puts behind it:
 *
 *     f = relu(theta x + resize(phi gating))          theta of kernel and stride subSample: a coarse grid
 *     attention = resize(sigmoid(psi f))              one number for each position of x
 *     out = norm(W (attention * x))
 *
 * `x` is `[B, Cx, H, W]` or `[B, Cx, D, H, W]`, `gating` `[B, Cg, ...]` of any spatial size, `out` as x,
 * `attention` `[B, 1, ...]`. Rows and columns that do not fill a cell of the coarse grid take no part in it.
 *
 *     +----+----+.      x, 5 x 5, subSample 2: the grid has 2 x 2 cells
 *     | f0 | f1 |.
 *     +----+----+.      theta sees a whole cell, gating is resized to the cells,
 *     | f2 | f3 |.      and the attention of the cells is resized to the positions
 *     +----+----+.
 *      . . . . . .      seen by no cell, gated like its neighbours
 *
 * x is read twice: attending to a sum of channels is attending to the channels, so W runs over x itself.
 * Scratch: for each thread, entries of 1 MB of x together, or a single larger one: Ci channels of the coarse
 * grid and of gating; the packed weights unless they are prepared; for each thread that of conv2d.
 *
 * @throws RangeError ERR_FOVEA_OPTION where subSample is not theta's kernel, ERR_FOVEA_SHAPE where x is smaller
 * than it, ERR_FOVEA_RANK where x and gating differ in their axes, ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { attentionGate, tensor } from 'fovea'
 * const full = (value: number, ...shape: number[]) =>
 *   tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(value), shape)
 * const weights = {
 *   'theta.weight': full(0.1, 2, 4, 2, 2),
 *   'phi.weight': full(0.1, 2, 6, 1, 1),
 *   'phi.bias': full(0, 2),
 *   'psi.weight': full(0.1, 1, 2, 1, 1),
 *   'psi.bias': full(0, 1),
 *   'W.0.weight': full(0.25, 4, 4, 1, 1),
 *   'W.0.bias': full(0, 4),
 *   'W.1.weight': full(1, 4),
 *   'W.1.bias': full(0, 4),
 *   'W.1.running_mean': full(0, 4),
 *   'W.1.running_var': full(1, 4),
 * }
 * const { out, attention } = attentionGate(full(1, 1, 4, 8, 8), full(1, 1, 6, 4, 4), weights, {
 *   outputs: ['attention'],
 * })
 * ```
 */
export const attentionGate = operation<
  [x: TensorLike, gating: TensorLike, weights: Weights<AttentionGateWeights, 'attentionGate'>],
  AttentionGateOptions,
  AttentionGateOutputs
>({
  name: 'attentionGate',
  summary: 'Additive attention gate of Attention U-Net, gated from a coarser map',
  paper: 'Oktay et al. 2018, Attention U-Net (arXiv 1804.03999), eq. 1-2',
  tensors: {
    x: { shape: 'B Cx *S', ranks: [4, 5] },
    gating: { shape: 'B Cg *G', ranks: [4, 5] },
  },
  outputs: { out: { shape: 'B Cx *S' }, attention: { shape: 'B 1 *S', optional: true } },
  weights: {
    'theta.weight': { shape: 'Ci Cx *K' },
    'phi.weight': { shape: 'Ci Cg *One' },
    'phi.bias': { shape: 'Ci' },
    'psi.weight': { shape: '1 Ci *One' },
    'psi.bias': { shape: '1' },
    'W.0.weight': { shape: 'Cx Cx *One' },
    'W.0.bias': { shape: 'Cx' },
    ...normWeights('W.1', 'Cx'),
  },
  params: {
    mode: choice(['concatenation', 'concatenation_debug', 'concatenation_residual'], {
      default: 'concatenation',
    }),
    subSample: list(integer({ min: 1 }), {
      length: dynamic('one a spatial axis', c =>
        Math.max(0, (c.shape('x') ?? c.shape('weights.theta.weight') ?? []).length - 2),
      ),
      implied: dynamic('the kernel of weights.theta.weight', kernelOf),
      optional: true,
      native: false,
    }),
    alignCorners: boolean({ default: false }),
    bnEps: bnEps(),
  },
  derived: { One: c => c.run('K').map(() => 1) },
  checkWeights(c) {
    const theta = c.shape('weights.theta.weight')!
    const rank = c.preparing ? Math.min(Math.max(theta.length, 4), 5) : c.shape('x')!.length
    if (theta.length === rank) return
    const rule = `have ${rank} axes${c.preparing ? '' : ', as many as x'}`
    c.fail('weights.theta.weight', 'ERR_FOVEA_WEIGHT_SHAPE', rule, `${theta.length}`)
  },
  check(c) {
    const [x, gating, kernel] = [c.run('S'), c.run('G'), c.run('K')]
    if (gating.length !== x.length) {
      const rule = `have ${x.length} spatial axes, as many as x`
      c.fail('gating', 'ERR_FOVEA_RANK', rule, `${gating.length}`)
    }
    if (x.some((size, axis) => size < kernel[axis]!)) {
      const rule = `have at least the size of theta's kernel, ${kernel.join(' x ')}`
      c.fail('x', 'ERR_FOVEA_SHAPE', rule, x.join(' x '))
    }
  },
})
