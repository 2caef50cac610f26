import { dynamic } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'
import { perAxis, windowsOf } from './shared/convolution.ts'

/** Parameters of {@link maxPool2d}; one number stands for both axes. */
export interface MaxPool2dOptions {
  /** Rows and columns of a window. */
  readonly kernel: number | readonly [number, number]
  /** Positions from one window to the next. Default: the kernel, windows side by side. */
  readonly stride?: number | readonly [number, number] | undefined
  /** Positions around x that count as -Infinity, at most half the kernel. Default 0. */
  readonly padding?: number | readonly [number, number] | undefined
}

/**
 * The largest element of each window of each channel.
 *
 * `x` is `[B, C, H, W]`, `out` is `[B, C, ...]` with `floor((n + 2 * padding - kernel) / stride) + 1`
 * positions along an axis of n; rows and columns left over at the end are not seen. A NaN makes every
 * window that holds it NaN.
 *
 * Scratch for each thread: ten rows of x.
 *
 * @throws RangeError ERR_FOVEA_SHAPE where the kernel does not fit into the padded x, ERR_FOVEA_OPTION
 * without kernel, or where padding is more than half of it.
 * @example
 * ```ts
 * import { maxPool2d, tensor } from 'fovea'
 * const x = tensor(new Float32Array([1, 2, 3, 4]), [1, 1, 2, 2])
 * const { out } = maxPool2d(x, { kernel: 2 }) // 4
 * ```
 */
export const maxPool2d = operation<[x: TensorLike], MaxPool2dOptions>({
  name: 'maxPool2d',
  summary: 'The largest element of each window',
  tensors: { x: { shape: 'B C H W' } },
  outputs: { out: { shape: 'B C outH outW' } },
  params: {
    kernel: perAxis(2, 1),
    stride: perAxis(2, 1, { default: dynamic('kernel', c => c.list('kernel')) }),
    padding: perAxis(2, 0, { default: 0 }),
  },
  derived: {
    outH: c =>
      windowsOf(c.dim('H'), c.list('kernel')[0]!, c.list('stride')[0]!, c.list('padding')[0]!),
    outW: c =>
      windowsOf(c.dim('W'), c.list('kernel')[1]!, c.list('stride')[1]!, c.list('padding')[1]!),
  },
  nonEmpty: ['H'],
  check(c) {
    const padding = c.list('padding')
    c.list('kernel').forEach((kernel, axis) => {
      if (padding[axis]! > kernel / 2)
        c.fail(
          'padding',
          'ERR_FOVEA_OPTION',
          `be at most half of kernel, ${kernel / 2}`,
          padding[axis],
        )
      const size = c.dim(axis === 0 ? 'H' : 'W')
      if (size + 2 * padding[axis]! < kernel) {
        const rule = `be at least ${kernel - 2 * padding[axis]!} along ${axis === 0 ? 'H' : 'W'}, the kernel less the padding`
        c.fail('x', 'ERR_FOVEA_SHAPE', rule, size)
      }
    })
  },
})
