import type { Weights } from '../core/call/prepared.ts'
import type { Context } from '../core/declaration/context.ts'
import type { WeightSpec } from '../core/declaration/definition.ts'
import { choice, dynamic, integer, list } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { bnEps, type NormNames, normWeights } from './shared/norm.ts'

type Unit<Name extends string, N extends 1 | 2 | 3> =
  | NormNames<`${Name}.bn${N}`>
  | `${Name}.conv${N}.weight`
type Block<Name extends string> = Unit<Name, 1> | Unit<Name, 2> | Unit<Name, 3>

/** The state_dict of the module: the blocks that every variant has, and those that the stage adds. */
export type ResidualAttentionModuleWeights = Readonly<
  Record<Block<'first_residual_blocks' | `trunk_branches.${0 | 1}` | 'last_blocks'>, TensorLike>
> &
  Readonly<Record<string, TensorLike>>

/** Parameters of {@link residualAttentionModule}. */
export interface ResidualAttentionModuleOptions {
  /** Which of the reference's modules: their depths, names and additions differ. Default imagenet. */
  readonly variant?: 'imagenet' | 'cifar' | 'plain' | undefined
  /** 0 to 3 for imagenet, 1 to 3 for cifar, 1 (which may be left out) for plain. */
  readonly stage?: number | undefined
  /** What x implies anyway: [H, W], then half of it, rounded up, for every further size. */
  readonly sizes?: readonly (number | readonly [number, number])[] | undefined
  /** The eps of all norms; above 0, default 1e-5. */
  readonly bnEps?: number | undefined
}

/** Outputs of {@link residualAttentionModule}. */
export interface ResidualAttentionModuleOutputs {
  /** [B, C, H, W]. */
  out: Output
  /** The soft mask [B, C, H, W], between 0 and 1. */
  mask?: Output
}

type Specs = Record<string, WeightSpec>

/** A norm, ReLU and convolution. */
const unit = (norm: string, conv: string, shape: string): Specs => ({
  ...normWeights(norm, shape.split(' ')[1]!),
  [`${conv}.weight`]: { shape },
})

const block = (name: string): Specs => ({
  ...unit(`${name}.bn1`, `${name}.conv1`, 'Cq C 1 1'),
  ...unit(`${name}.bn2`, `${name}.conv2`, 'Cq Cq 3 3'),
  ...unit(`${name}.bn3`, `${name}.conv3`, 'C Cq 1 1'),
  // Carried by the reference and never used where input and output have the same channels.
  [`${name}.conv4.weight`]: { shape: 'C C 1 1', optional: true, unused: true },
})

const head = (name: string): Specs => ({
  ...unit(`${name}.0`, `${name}.2`, 'C C 1 1'),
  ...unit(`${name}.3`, `${name}.5`, 'C C 1 1'),
})

const stages = { imagenet: [0, 3], cifar: [1, 3], plain: [1, 1] } as const

/** How often the mask branch pools; 0 for the stage that keeps its size. */
function depthOf(c: Context): number {
  const variant = c.choice('variant') as keyof typeof stages
  const [least, most] = stages[variant]
  const stage = c.number('stage')
  if (!(stage >= least && stage <= most)) {
    const rule = least === most ? `be ${least}` : `be a whole number of ${least} to ${most}`
    c.fail(
      'stage',
      'ERR_FOVEA_OPTION',
      `${rule} for '${variant}'`,
      Number.isNaN(stage) ? undefined : stage,
    )
  }
  return variant === 'plain' ? 3 : (variant === 'imagenet' ? 4 : 3) - stage
}

/** The bottlenecks of the mask branch in the engine's order, and the head. */
function maskBranch(variant: string, depth: number): { blocks: string[]; head: string } {
  const cifar = variant === 'cifar'
  const levels = Array.from({ length: Math.max(depth - 1, 0) }, (_, n) => n + 1)
  const bottom = cifar ? 'middle_2r_blocks' : `softmax${depth}_blocks`
  return {
    blocks: [
      ...levels.flatMap(k => [
        cifar ? `down_residual_blocks${k}` : `softmax${k}_blocks`,
        `skip${k}_connection_residual_block`,
      ]),
      `${bottom}.0`,
      `${bottom}.1`,
      ...levels
        .toReversed()
        .map(k => (cifar ? `up_residual_blocks${depth - k}` : `softmax${2 * depth - k}_blocks`)),
    ],
    head: cifar ? 'conv1_1_blocks' : `softmax${2 * depth}_blocks`,
  }
}

/** The sizes that the mask branch meets: what the reference's constructor must be given. */
function sizesOf(c: Context): number[][] {
  const sizes = [[c.dim('H'), c.dim('W')]]
  for (let k = 1; k < depthOf(c); k++) sizes.push(sizes.at(-1)!.map(n => Math.ceil(n / 2)))
  return sizes
}

/**
 * The attention module of the Residual Attention Network: a trunk of two bottlenecks, strengthened by a
 * soft mask whose branch pools the map down to see all of it, and interpolates up again.
 *
 *     y = RB(x)        T = RB(RB(y))        out = RB((1 + mask) * T)
 *     d_0 = y          d_k = RB(pool(d_{k-1}))          d_L = RB(RB(pool(d_{L-1})))
 *     u_L = d_L        u_k = RB(up(u_{k+1}) + d_k + RB(d_k))
 *     mask = sigmoid(conv relu norm conv relu norm (up(u_1) + T))
 *
 * RB is a pre-activation bottleneck, `x + conv3 relu norm conv2 relu norm conv1 relu norm x`; pool is
 * the maximum of 3 x 3 with stride 2; up interpolates with aligned corners. L is 4, 3, 2, 1 for stage
 * 0, 1, 2, 3 of imagenet and 2, 1 for stage 1, 2 of cifar, whose stage 3 neither pools nor resizes nor
 * adds T; plain is the paper's module, L = 3 without `+ d_k` and `+ T`.
 *
 * Shapes: x, out and mask [B, C, H, W], C a multiple of 4. `into.out` may be x itself. A norm and its
 * ReLU are applied as the convolution behind reads or the one before writes, sums and the gate where
 * the last convolution writes. Scratch: at most 3.4 times a batch entry, or
 * several of at most 1 MB together, with plain weights the packed weights too; for each thread that
 * of conv2d.
 *
 * Wang et al. 2017, Residual Attention Network for Image Classification (arXiv 1704.06904); weights
 * and additions as tengshaofeng/ResidualAttentionNetwork-pytorch has them. conv4 of a bottleneck may be
 * there, and is not used.
 *
 * @throws RangeError ERR_FOVEA_OPTION for a stage that the variant does not have or other sizes than x
 * implies, ERR_FOVEA_SHAPE where C is no multiple of 4, ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { residualAttentionModule, type TensorLike, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const weights: Record<string, TensorLike> = {}
 * const layer = (norm: string, conv: string, outs: number, ins: number, taps = 1) => {
 *   for (const name of ['weight', 'bias', 'running_mean', 'running_var']) weights[`${norm}.${name}`] = full(ins)
 *   weights[`${conv}.weight`] = full(outs, ins, taps, taps)
 * }
 * const blocks = ['first_residual_blocks', 'trunk_branches.0', 'trunk_branches.1', 'last_blocks']
 * for (const name of [...blocks, 'softmax1_blocks.0', 'softmax1_blocks.1']) {
 *   layer(`${name}.bn1`, `${name}.conv1`, 2, 8)
 *   layer(`${name}.bn2`, `${name}.conv2`, 2, 2, 3)
 *   layer(`${name}.bn3`, `${name}.conv3`, 8, 2)
 * }
 * layer('softmax2_blocks.0', 'softmax2_blocks.2', 8, 8)
 * layer('softmax2_blocks.3', 'softmax2_blocks.5', 8, 8)
 * const { out, mask } = residualAttentionModule(full(1, 8, 7, 7), weights, { stage: 3, outputs: ['mask'] })
 * ```
 */
export const residualAttentionModule = operation<
  [x: TensorLike, weights: Weights<ResidualAttentionModuleWeights, 'residualAttentionModule'>],
  ResidualAttentionModuleOptions,
  ResidualAttentionModuleOutputs
>({
  name: 'residualAttentionModule',
  summary: 'Bottlenecks strengthened by a mask that has seen the whole map',
  paper: 'Wang et al. 2017 (arXiv 1704.06904), section 3 and figure 2',
  tensors: { x: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'x' },
    mask: { shape: 'B C H W', optional: true },
  },
  weights(c) {
    const branch = maskBranch(c.choice('variant'), depthOf(c))
    const names = [
      'first_residual_blocks',
      'trunk_branches.0',
      'trunk_branches.1',
      ...branch.blocks,
      'last_blocks',
    ]
    return Object.assign({}, ...names.map(block), head(branch.head)) as Specs
  },
  params: {
    variant: choice(['imagenet', 'cifar', 'plain'], { default: 'imagenet' }),
    stage: integer({
      default: dynamic('1 for plain; else it must be given', c =>
        c.choice('variant') === 'plain' ? 1 : Number.NaN,
      ),
    }),
    bnEps: bnEps(),
    sizes: list(list(integer({ min: 1 }), { length: 2 }), {
      optional: true,
      perCall: true,
      native: false,
    }),
  },
  derived: {
    Cq(c) {
      const C = c.dim('C')
      if (C % 4 > 0) {
        const argument = c.preparing ? 'weights.first_residual_blocks.bn1.weight' : 'x'
        const code = c.preparing ? 'ERR_FOVEA_WEIGHT_SHAPE' : 'ERR_FOVEA_SHAPE'
        c.fail(argument, code, 'have a multiple of 4 as its channels', C)
      }
      return C / 4
    },
  },
  nonEmpty: ['H'],
  check(c) {
    if (!c.given('sizes')) return
    const given = (c.value('sizes') as (number | number[])[]).map(size =>
      typeof size === 'number' ? [size, size] : size,
    )
    const due = sizesOf(c)
    const text = (sizes: readonly (readonly number[])[]): string =>
      `[${sizes.map(size => `[${size.join(', ')}]`).join(', ')}]`
    if (text(given) === text(due)) return
    const rule = `be ${text(due)}, the size of x and what pooling leaves of it`
    c.fail('sizes', 'ERR_FOVEA_OPTION', rule, text(given))
  },
})
