import type { Weights } from '../core/call/prepared.ts'
import type { Context } from '../core/declaration/context.ts'
import type { WeightSpec } from '../core/declaration/definition.ts'
import { boolean, choice, dynamic, list } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { bnEps, type NormNames, normWeights } from './shared/norm.ts'
import { checkReduction, reductionParam } from './shared/reduction.ts'

const pools = ['avg', 'max', 'lp', 'lse'] as const

/** The state_dict of the official CBAM; with noSpatial the SpatialGate may be absent. */
export type CbamWeights = Readonly<
  // mlp.1 [R, C], mlp.3 [C, R], the convolution [1, 2, 7, 7] without a bias
  Record<`ChannelGate.mlp.${1 | 3}.${'weight' | 'bias'}`, TensorLike> &
    Partial<
      Record<'SpatialGate.spatial.conv.weight' | NormNames<'SpatialGate.spatial.bn'>, TensorLike>
    >
>

/** Parameters of {@link cbam}. */
export interface CbamOptions {
  /** floor(C / reduction) is R; implied by the weights. */
  readonly reduction?: number | undefined
  /**
   * What is taken of each channel: its mean, its largest value, the root of its summed squares, the logarithm
   * of its summed exponentials. Default `['avg', 'max']`.
   */
  readonly poolTypes?: readonly ('avg' | 'max' | 'lp' | 'lse')[] | undefined
  /** Leaves the spatial gate out. Default false. */
  readonly noSpatial?: boolean | undefined
  /** The eps of the norm; above 0, default 1e-5. */
  readonly bnEps?: number | undefined
}

/** What {@link cbam} returns. */
export interface CbamOutputs {
  /** `[B, C, H, W]`. */
  out: Output
  /** `[B, C]`. */
  channelAttention?: Output
  /** `[B, 1, H, W]`; absent with noSpatial. */
  spatialAttention?: Output
}

/** The weights of the spatial gate; where it is left out they may be there and mean nothing. */
function spatialWeights(c: Context): Record<string, WeightSpec> {
  const weights: Record<string, WeightSpec> = {
    'SpatialGate.spatial.conv.weight': { shape: '1 2 7 7' },
    ...normWeights('SpatialGate.spatial.bn', '1'),
  }
  if (!c.flag('noSpatial')) return weights
  return Object.fromEntries(
    Object.entries(weights).map(([name, { shape }]) => [
      name,
      { shape, optional: true, unused: true },
    ]),
  )
}

/**
 * The convolutional block attention module (CBAM, Woo et al. 2018, eq. 2-3): a gate of the channels, then a gate
 * of the positions.
 *
 *     channelAttention = sigmoid(sum over pools P of W3 relu(W1 P(x) + b1) + b3)      x1 = x * channelAttention
 *     spatialAttention = sigmoid(norm(conv 7 x 7 of [max over channels x1, mean over channels x1]))
 *     out = x1 * spatialAttention
 *
 * `x` and `out` are `[B, C, H, W]`, `channelAttention` is `[B, C]`, `spatialAttention` `[B, 1, H, W]`. `into.out` may
 * be `x` itself. As in the authors' code, which orders the two maps max, mean (the paper: mean, max).
 *
 * x is read three times and written once, entries of 1 MB together, or a single larger one; every thread
 * may be at entries of its own. Scratch: three maps of positions and a few vectors for each of these; the
 * packed weights unless they are prepared; for each thread at most 32 KiB and that of conv2d.
 *
 * @throws RangeError ERR_FOVEA_OPTION where reduction does not lead from C to R or poolTypes is empty,
 * ERR_FOVEA_OUTPUT for spatialAttention with noSpatial, ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { cbam, tensor } from 'fovea'
 * const full = (value: number, ...shape: number[]) =>
 *   tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(value), shape)
 * const weights = {
 *   'ChannelGate.mlp.1.weight': full(0.1, 2, 8),
 *   'ChannelGate.mlp.1.bias': full(0, 2),
 *   'ChannelGate.mlp.3.weight': full(0, 8, 2),
 *   'ChannelGate.mlp.3.bias': full(0, 8),
 * }
 * const { out } = cbam(full(3, 1, 8, 5, 5), weights, { noSpatial: true })
 * console.log(out.data[0]) // => 1.5
 * ```
 */
export const cbam = operation<
  [x: TensorLike, weights: Weights<CbamWeights, 'cbam'>],
  CbamOptions,
  CbamOutputs
>({
  name: 'cbam',
  summary: 'Convolutional block attention: a gate of the channels, then one of the positions',
  paper: 'Woo et al. 2018, CBAM (arXiv 1807.06521), eq. 2-3',
  tensors: { x: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'x' },
    channelAttention: { shape: 'B C', optional: true },
    spatialAttention: {
      shape: 'B 1 H W',
      optional: true,
      absent: c => (c.flag('noSpatial') ? 'noSpatial is given' : undefined),
    },
  },
  weights: c => ({
    'ChannelGate.mlp.1.weight': { shape: 'R C' },
    'ChannelGate.mlp.1.bias': { shape: 'R' },
    'ChannelGate.mlp.3.weight': { shape: 'C R' },
    'ChannelGate.mlp.3.bias': { shape: 'C' },
    ...spatialWeights(c),
  }),
  params: {
    reduction: reductionParam(),
    poolTypes: list(choice(pools), {
      default: ['avg', 'max'],
      minLength: 1,
      native: value => pools.map(pool => (value as string[]).filter(each => each === pool).length),
    }),
    noSpatial: boolean({ default: false }),
    bnEps: { ...bnEps(), used: dynamic('there is a spatial gate', c => !c.flag('noSpatial')) },
  },
  nonEmpty: ['H'],
  checkWeights: c => checkReduction(c, c.dim('C'), 'weights.ChannelGate.mlp.1.weight'),
})
