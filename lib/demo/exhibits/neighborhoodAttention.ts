import { neighborhoodAttention, permute, reshape, type Tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention, together } from './shared/attention.ts'

const kernelSize = 7

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'A patch sees the 7 × 7 patches around it, or every second one of a larger square. At the border the window moves inward rather than losing keys.',
  show(photo, bench) {
    const { heads, rows, columns, count } = photo.coarse
    const kernel = [rows, columns].map(size => Math.min(kernelSize, size))
    const map = (t: Tensor): Tensor =>
      permute(reshape(t, [1, heads.shape[1]!, rows, columns, t.shape[3]!]), [0, 2, 3, 1, 4])
    const variant = (label: string, spread: number) => {
      const dilation = [rows, columns].map((size, axis) =>
        Math.max(1, Math.min(spread, Math.floor(size / kernel[axis]!))),
      )
      const options = { kernelSize: kernel, dilation, scale: defaultScale(heads) }
      return showAttention(photo, bench, {
        label,
        tokens: photo.coarse,
        query: heads,
        attend(value) {
          const { out } = neighborhoodAttention(map(heads), map(heads), map(value), options)
          return reshape(permute(out, [0, 3, 1, 2, 4]), [
            1,
            heads.shape[1]!,
            count,
            value.shape[3]!,
          ])
        },
        sees: (query, key) =>
          near(
            Math.floor(query / columns),
            Math.floor(key / columns),
            rows,
            kernel[0]!,
            dilation[0]!,
          ) && near(query % columns, key % columns, columns, kernel[1]!, dilation[1]!),
      })
    }
    return together(variant('all neighbours', 1), variant('every second one', 2))
  },
}

/** Whether coordinate j is in the window of i along an axis of `size`. */
function near(i: number, j: number, size: number, kernel: number, dilation: number): boolean {
  if ((i - j) % dilation !== 0) return false
  const steps = Math.ceil((size - (i % dilation)) / dilation)
  const middle = Math.floor(i / dilation) - Math.floor(kernel / 2)
  const first = Math.max(0, Math.min(middle, steps - kernel))
  const step = Math.floor(j / dilation)
  return step >= first && step < first + kernel
}
