import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/**
 * The mean of every channel over all of its positions: `out[b, c] = mean x[b, c, ...]`.
 *
 * `x` is `[B, C, H, W]` or `[B, C, D, H, W]`, `out` is `[B, C]`. Summed in float64.
 *
 * Scratch for each thread: nothing where the planes are contiguous; otherwise 32 KiB.
 *
 * Lin, Chen and Yan 2013 (arXiv 1312.4400), section 3.2.
 *
 * @throws RangeError ERR_FOVEA_RANK unless `x` has two or three spatial axes, ERR_FOVEA_SHAPE where C or one
 * of them is 0.
 * @example
 * ```ts
 * import { globalAveragePool, tensor } from 'fovea'
 * const { out } = globalAveragePool(tensor(Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2]))
 * console.log(out.data[0]) // => 2.5
 * ```
 */
export const globalAveragePool = operation<[x: TensorLike]>({
  name: 'globalAveragePool',
  summary: 'Mean of each channel over all positions',
  paper: 'Lin, Chen and Yan 2013 (arXiv 1312.4400), section 3.2',
  tensors: { x: { shape: 'B C *S', ranks: [4, 5] } },
  outputs: { out: { shape: 'B C' } },
})
