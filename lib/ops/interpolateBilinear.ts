import { boolean } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'
import { perAxis } from './shared/convolution.ts'

/** Parameters of {@link interpolateBilinear}. */
export interface InterpolateBilinearOptions {
  /** Height and width of the output; one number stands for all. */
  readonly size: number | readonly [number, number]
  /** Whether the corners of input and output lie upon each other, rather than their edges. Default false. */
  readonly alignCorners?: boolean | undefined
}

/**
 * Resizes each channel by linear interpolation along two axes, one after the other, without
 * anti-aliasing, as `torch.nn.functional.interpolate`.
 *
 * `x` is `[B, C, H, W]`, `out` is `[B, C, ...size]`. Output position o of m, over n elements, lies at
 *
 *     s = o * (n - 1) / (m - 1), or 0 where m = 1         alignCorners
 *     s = max(0, (o + 1/2) * n / m - 1/2)                 otherwise
 *
 * and takes `(1 - f) * x[i] + f * x[min(i + 1, n - 1)]` with `i = floor(s)` and `f = s - i`; where f is
 * 0, x[i] alone counts, so an axis that keeps its size is left exactly as it is.
 *
 * Scratch: 16 bytes for each position along an axis of the output; and for each thread six of its rows.
 *
 * @throws RangeError ERR_FOVEA_OPTION without size or where one is below 1, ERR_FOVEA_SHAPE for an empty
 * axis of x.
 * @example
 * ```ts
 * import { interpolateBilinear, tensor } from 'fovea'
 * const x = tensor(new Float32Array([1, 3]), [1, 1, 1, 2])
 * const { out } = interpolateBilinear(x, { size: [1, 3], alignCorners: true }) // 1, 2, 3
 * ```
 */
export const interpolateBilinear = operation<[x: TensorLike], InterpolateBilinearOptions>({
  name: 'interpolateBilinear',
  summary: 'Linear interpolation over two axes',
  tensors: { x: { shape: 'B C H W' } },
  outputs: { out: { shape: 'B C outH outW' } },
  params: {
    size: perAxis(2, 1),
    alignCorners: boolean({ default: false }),
  },
  derived: {
    outH: c => c.list('size')[0]!,
    outW: c => c.list('size')[1]!,
  },
  nonEmpty: ['H'],
})
