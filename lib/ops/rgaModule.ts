import type { Weights } from '../core/call/prepared.ts'
import type { WeightSpec } from '../core/declaration/definition.ts'
import { boolean } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import {
  type RelationHalf,
  type RelationOptions,
  type RelationWeights,
  relationParams,
  relationSizes,
  relationWeights,
} from './shared/relation.ts'

/** The state_dict of RGA_Module; a half that does not run needs none. */
export type RgaModuleWeights = Partial<RelationWeights<'spatial'> & RelationWeights<'channel'>>

/** Parameters of {@link rgaModule}. */
export interface RgaModuleOptions extends RelationOptions {
  /** Whether the spatial half runs. Default true; not both false. */
  readonly useSpatial?: boolean | undefined
  /** Whether the channel half runs. Default true. */
  readonly useChannel?: boolean | undefined
}

/** Outputs of {@link rgaModule}. */
export interface RgaModuleOutputs {
  /** [B, C, H, W]. */
  out: Output
  /** [B, 1, H, W]; absent without useSpatial. */
  spatialAttention?: Output
  /** [B, C]; absent without useChannel. */
  channelAttention?: Output
}

/** The weights of a half; where it does not run they may be there and mean nothing. */
function weightsOf(half: RelationHalf, runs: boolean): Record<string, WeightSpec> {
  const weights = relationWeights(half)
  if (runs) return weights
  return Object.fromEntries(
    Object.entries(weights).map(([name, { shape }]) => [
      name,
      { shape, optional: true, unused: true },
    ]),
  )
}

/**
 * The whole module of relation-aware global attention: `out = rgaChannel(rgaSpatial(x))`, either half
 * alone where the other is off.
 *
 * Shapes: x and out [B, C, H, W], spatialAttention [B, 1, H, W], channelAttention [B, C]; the weights fix
 * N = H W. `into.out` may be x itself. x is read once for each half and once to be gated by both: the
 * channel half sees the spatial attention through its weights. Scratch: 3 floor(C / chaRatio) N and
 * 3 floor(N / spaRatio) C floats for each batch entry, with plain weights the packed weights too.
 *
 * Zhang et al. 2020, Relation-Aware Global Attention for Person Re-identification (arXiv 1904.02998),
 * eqs. 1-3; microsoft/Relation-Aware-Global-Attention-Networks `RGA_Module`, whose state_dict loads as it
 * is.
 *
 * @throws RangeError ERR_FOVEA_OPTION where a ratio leaves no channel or neither half runs,
 * ERR_FOVEA_OUTPUT for the attention of a half that does not, ERR_FOVEA_WEIGHT_SHAPE where the weights
 * are those of another C, N or ratio. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { rgaModule, type TensorLike, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), shape)
 * const weights: Record<string, TensorLike> = {}
 * const layer = (conv: string, norm: string, outs: number, ins: number) => {
 *   weights[`${conv}.weight`] = full(outs, ins, 1, 1)
 *   for (const name of ['weight', 'bias', 'running_mean', 'running_var']) weights[`${norm}.${name}`] = full(outs)
 * }
 * const half = (name: string, nodes: number, features: number) => {
 *   for (const layerName of ['theta', 'phi', 'gx'])
 *     layer(`${layerName}_${name}.0`, `${layerName}_${name}.1`, features / 2, features)
 *   layer(`gg_${name}.0`, `gg_${name}.1`, nodes / 2, 2 * nodes)
 *   layer(`W_${name}.0`, `W_${name}.1`, 2, 1 + nodes / 2)
 *   layer(`W_${name}.3`, `W_${name}.4`, 1, 2)
 * }
 * half('spatial', 6, 8)
 * half('channel', 8, 6)
 * const { out, channelAttention } = rgaModule(full(1, 8, 2, 3), weights, {
 *   chaRatio: 2,
 *   spaRatio: 2,
 *   downRatio: 2,
 *   outputs: ['channelAttention'],
 * })
 * ```
 */
export const rgaModule = operation<
  [x: TensorLike, weights: Weights<RgaModuleWeights, 'rgaModule'>],
  RgaModuleOptions,
  RgaModuleOutputs
>({
  name: 'rgaModule',
  summary: 'Relation-aware global attention over positions, then over channels',
  paper: 'Zhang et al. 2020 (arXiv 1904.02998), eqs. 1-3',
  tensors: { x: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'x' },
    spatialAttention: {
      shape: 'B 1 H W',
      optional: true,
      absent: c => (c.flag('useSpatial') ? undefined : 'useSpatial is false'),
    },
    channelAttention: {
      shape: 'B C',
      optional: true,
      absent: c => (c.flag('useChannel') ? undefined : 'useChannel is false'),
    },
  },
  weights(c) {
    const [spatial, channel] = [c.flag('useSpatial'), c.flag('useChannel')]
    if (!spatial && !channel)
      c.fail('useChannel', 'ERR_FOVEA_OPTION', 'be true where useSpatial is false', false)
    return { ...weightsOf('spatial', spatial), ...weightsOf('channel', channel) }
  },
  params: {
    useSpatial: boolean({ default: true }),
    useChannel: boolean({ default: true }),
    ...relationParams,
  },
  derived: relationSizes,
  nonEmpty: ['H', 'N'],
})
