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

/** Outputs of {@link rgaSpatial}. */
export interface RgaSpatialOutputs {
  /** [B, C, H, W]. */
  out: Output
  /** [B, 1, H, W]. */
  spatialAttention?: Output
}

/**
 * Relation-aware global attention over positions (RGA-S): how strongly a position is kept follows from
 * its relations to all others, both ways, and from what it is itself.
 *
 *     theta = E(theta_spatial)(x), phi = E(phi_spatial)(x)        floor(C / chaRatio) channels each
 *     G[i, j] = theta_i . phi_j                                   over positions i, j in row-major order
 *     R_p = E(gg_spatial)([G[p, 0..N), G[0..N, p)])               floor(N / spaRatio) channels
 *     y_p = [mean of E(gx_spatial)(x)_p, R_p]
 *     spatialAttention = sigmoid(norm(W.3 relu(norm(W.0 y))))     out = x * spatialAttention
 *
 * E being a 1x1 convolution, norm and ReLU.
 *
 * Shapes: x and out [B, C, H, W], spatialAttention [B, 1, H, W]; the weights fix N = H W. `into.out` may be x
 * itself. The relations are never written down: W_gg [G[p, :], G[:, p]] is evaluated as
 * (W_1 phi) theta_p + (W_2 theta) phi_p, so cost and memory grow as N and C, not as their squares.
 * Scratch: 3 floor(C / chaRatio) N floats for each batch entry, with plain weights the packed weights too.
 *
 * Zhang et al. 2020, Relation-Aware Global Attention for Person Re-identification (arXiv 1904.02998),
 * eqs. 1-3; weights as microsoft/Relation-Aware-Global-Attention-Networks names them.
 *
 * @throws RangeError ERR_FOVEA_OPTION where a ratio leaves no channel, ERR_FOVEA_WEIGHT_SHAPE where the
 * weights are those of another C, N or ratio. TypeError ERR_FOVEA_WEIGHT_MISSING,
 * ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { rgaSpatial, type TensorLike, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), shape)
 * const weights: Record<string, TensorLike> = {}
 * const layer = (conv: string, norm: string, outs: number, ins: number) => {
 *   weights[`${conv}.weight`] = full(outs, ins, 1, 1)
 *   for (const name of ['weight', 'bias', 'running_mean', 'running_var']) weights[`${norm}.${name}`] = full(outs)
 * }
 * const [C, N] = [4, 6]
 * for (const name of ['theta', 'phi', 'gx']) layer(`${name}_spatial.0`, `${name}_spatial.1`, C / 2, C)
 * layer('gg_spatial.0', 'gg_spatial.1', N / 2, 2 * N)
 * layer('W_spatial.0', 'W_spatial.1', 2, 1 + N / 2)
 * layer('W_spatial.3', 'W_spatial.4', 1, 2)
 * const { out } = rgaSpatial(full(1, C, 2, 3), weights, { chaRatio: 2, spaRatio: 2, downRatio: 2 })
 * ```
 */
export const rgaSpatial = operation<
  [x: TensorLike, weights: Weights<RelationWeights<'spatial'>, 'rgaSpatial'>],
  RelationOptions,
  RgaSpatialOutputs
>({
  name: 'rgaSpatial',
  summary: 'Relation-aware global attention over positions',
  paper: 'Zhang et al. 2020 (arXiv 1904.02998), eqs. 1-3',
  tensors: { x: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'x' },
    spatialAttention: { shape: 'B 1 H W', optional: true },
  },
  weights: relationWeights('spatial'),
  params: relationParams,
  derived: relationSizes,
  nonEmpty: ['H', 'N'],
})
