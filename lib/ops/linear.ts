import type { Weights } from '../core/call/prepared.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** `weight` is `[out, in]`, `bias` is `[out]`. */
export interface LinearWeights {
  readonly weight: TensorLike
  readonly bias?: TensorLike | undefined
}

/**
 * A linear layer over the last axis: `out[..., o] = sum_i x[..., i] * weight[o, i] + bias[o]`, as
 * `torch.nn.Linear`.
 *
 * `x` is `[..., in]` of any rank from 1, `weight` is `[out, in]`, `bias` is `[out]` and may be left out;
 * `out` is `[..., out]`. Every row of `x` is a batch of its own: its result does not depend on the other
 * rows, neither on how many there are nor on what they hold.
 *
 * Prepared weights are packed once, into as much memory as they are; plain ones at each call, which
 * costs little where there are hundreds of rows and most of the time where there are few. Scratch
 * for each thread: at most 1 MB with prepared weights, 3.1 MB and the bias with plain ones. Plain ones
 * that more than 1024 rows of `x` meet are packed once for all threads, into as much scratch as they are.
 *
 * @throws RangeError ERR_FOVEA_RANK for rank 0, ERR_FOVEA_SHAPE where `in` is 0, ERR_FOVEA_WEIGHT_SHAPE
 * where the weights do not fit each other or `x`. TypeError ERR_FOVEA_WEIGHT_MISSING without `weight`.
 * @example
 * ```ts
 * import { linear, tensor } from 'fovea'
 * const weights = { weight: tensor(Float32Array.of(1, 2, 3, 4), [2, 2]) }
 * const { out } = linear(tensor(Float32Array.of(1, 1), [1, 2]), weights)
 * console.log(out.data.join(' ')) // => 3 7
 * ```
 */
export const linear = operation<[x: TensorLike, weights: Weights<LinearWeights, 'linear'>]>({
  name: 'linear',
  summary: 'Matrix product with a weight over the last axis, and a bias',
  tensors: { x: { shape: '... in' } },
  outputs: { out: { shape: '... out' } },
  weights: {
    weight: { shape: 'out in' },
    bias: { shape: 'out', optional: true },
  },
  nonEmpty: ['in'],
})
