import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/**
 * The Gaussian error linear unit, exact: `out = x / 2 * (1 + erf(x / sqrt(2)))`, for every element.
 *
 * `x` is `[..., N]` of any rank from 1, `out` has its shape. Accurate in relative terms on both sides:
 * far below 0 the result tends to -0 (-Infinity gives -0), and is NaN only for NaN. `into.out` may be
 * `x` itself.
 *
 * Scratch for each thread: nothing where `x` and `out` are contiguous; otherwise at most 66 Ki floats.
 *
 * Hendrycks and Gimpel 2016 (arXiv 1606.08415), section 2.
 *
 * @throws RangeError ERR_FOVEA_RANK for rank 0.
 * @example
 * ```ts
 * import { gelu, tensor } from 'fovea'
 * const { out } = gelu(tensor(Float32Array.of(-1, 0, 1), [3]))
 * console.log(Array.from(out.data, v => v.toFixed(4)).join(' ')) // => -0.1587 0.0000 0.8413
 * ```
 */
export const gelu = operation<[x: TensorLike]>({
  name: 'gelu',
  summary: 'Gaussian error linear unit, the exact form',
  paper: 'Hendrycks and Gimpel 2016 (arXiv 1606.08415), section 2',
  tensors: { x: { shape: '... N' } },
  outputs: { out: { shape: '... N', inPlace: 'x' } },
})
