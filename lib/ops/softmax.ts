import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/**
 * Softmax over the last axis: `out[..., i] = exp(x[..., i] - m) / sum_j exp(x[..., j] - m)`, m being the
 * largest of the row.
 *
 * `x` is `[..., N]` of any rank from 1, `out` has its shape. An entry of -Infinity gives exactly 0, also
 * where the whole row is -Infinity; a NaN makes its row NaN. `into.out` may be `x` itself.
 *
 * Scratch for each thread: nothing where the last axis is contiguous; otherwise up to 16 rows, at most
 * 64 Ki floats or one row.
 *
 * @throws RangeError ERR_FOVEA_RANK for rank 0, ERR_FOVEA_SHAPE where N is 0.
 * @example
 * ```ts
 * import { softmax, tensor } from 'fovea'
 * const { out } = softmax(tensor(Float32Array.of(1, 2, 3), [1, 3]))
 * console.log(Array.from(out.data, v => v.toFixed(3)).join(' ')) // => 0.090 0.245 0.665
 * ```
 */
export const softmax = operation<[x: TensorLike]>({
  name: 'softmax',
  summary: 'Exponentials along the last axis, divided by their sum',
  tensors: { x: { shape: '... N' } },
  outputs: { out: { shape: '... N', inPlace: 'x' } },
  nonEmpty: ['N'],
})
