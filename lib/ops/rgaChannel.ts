import type { Weights } from '../core/call/prepared.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import {
  type RelationOptions,
  type RelationWeights,
  relationParams,
  relationSizes,
  relationWeights,
} from './shared/relation.ts'

/** Outputs of {@link rgaChannel}. */
export interface RgaChannelOutputs {
  /** [B, C, H, W]. */
  out: Output
  /** [B, C]. */
  channelAttention?: Output
}

/**
 * Relation-aware global attention over channels (RGA-C): how strongly a channel is kept follows from its
 * relations to all others, both ways, and from what it is itself.
 *
 *     theta = E(theta_channel)(x'), phi = E(phi_channel)(x')      floor(N / spaRatio) numbers a channel
 *     G[i, j] = theta_i . phi_j                                   over channels i, j
 *     R_p = E(gg_channel)([G[p, 0..C), G[0..C, p)])               floor(C / chaRatio) numbers
 *     y_p = [mean of E(gx_channel)(x')_p, R_p]
 *     channelAttention = sigmoid(norm(W.3 relu(norm(W.0 y))))     out = x * channelAttention
 *
 * E being a 1x1 convolution, norm and ReLU, and x' the map with its channels as positions and its N = H W
 * positions as channels.
 *
 * Shapes: x and out [B, C, H, W], channelAttention [B, C]; the weights fix N = H W. `into.out` may be x
 * itself. The relations are never written down: W_gg [G[p, :], G[:, p]] is evaluated as
 * (W_1 phi) theta_p + (W_2 theta) phi_p, so cost and memory grow as N and C, not as their squares.
 * Scratch: 3 floor(N / spaRatio) C floats for each batch entry, with plain weights the packed weights too.
 *
 * Zhang et al. 2020, Relation-Aware Global Attention for Person Re-identification (arXiv 1904.02998),
 * eqs. 1-3; weights as microsoft/Relation-Aware-Global-Attention-Networks names them.
 *
 * @throws RangeError ERR_FOVEA_OPTION where a ratio leaves no channel, ERR_FOVEA_WEIGHT_SHAPE where the
 * weights are those of another C, N or ratio. TypeError ERR_FOVEA_WEIGHT_MISSING,
 * ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { rgaChannel, type TensorLike, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), shape)
 * const weights: Record<string, TensorLike> = {}
 * const layer = (conv: string, norm: string, outs: number, ins: number) => {
 *   weights[`${conv}.weight`] = full(outs, ins, 1, 1)
 *   for (const name of ['weight', 'bias', 'running_mean', 'running_var']) weights[`${norm}.${name}`] = full(outs)
 * }
 * const [C, N] = [4, 6]
 * for (const name of ['theta', 'phi', 'gx']) layer(`${name}_channel.0`, `${name}_channel.1`, N / 2, N)
 * layer('gg_channel.0', 'gg_channel.1', C / 2, 2 * C)
 * layer('W_channel.0', 'W_channel.1', 1, 1 + C / 2)
 * layer('W_channel.3', 'W_channel.4', 1, 1)
 * const { out } = rgaChannel(full(1, C, 2, 3), weights, { chaRatio: 2, spaRatio: 2, downRatio: 2 })
 * ```
 */
export const rgaChannel = operation<
  [x: TensorLike, weights: Weights<RelationWeights<'channel'>, 'rgaChannel'>],
  RelationOptions,
  RgaChannelOutputs
>({
  name: 'rgaChannel',
  summary: 'Relation-aware global attention over channels',
  paper: 'Zhang et al. 2020 (arXiv 1904.02998), eqs. 1-3',
  tensors: { x: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'x' },
    channelAttention: { shape: 'B C', optional: true },
  },
  weights: relationWeights('channel'),
  params: relationParams,
  derived: relationSizes,
  nonEmpty: ['H', 'N'],
})
