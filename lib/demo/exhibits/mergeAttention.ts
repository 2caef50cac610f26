import {
  mergeAttention,
  scaledDotProductAttention,
  slice,
  type Tensor,
  tensor,
} from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention } from './shared/attention.ts'
import * as reference from './shared/reference.ts'

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Attention in two parts, as two machines would share it: every patch attends to the upper half of the picture, then to the lower. Joined by their sums, they are attention to the whole.',
  show(photo, bench) {
    const { coarse } = photo
    const { heads, count } = coarse
    const scale = defaultScale(heads)
    const half = Math.floor(count / 2)
    const parts = [
      [0, half],
      [half, count],
    ] as const
    const attend = (value: Tensor) => {
      const [, headCount, , size] = value.shape as [number, number, number, number]
      const rows = headCount * count
      const outs = tensor(new Float32Array(2 * rows * size), [2, 1, headCount, count, size])
      const lses = tensor(new Float32Array(2 * rows), [2, 1, headCount, count])
      for (const [part, [from, to]] of parts.entries())
        scaledDotProductAttention(heads, slice(heads, 2, from, to), slice(value, 2, from, to), {
          scale,
          into: {
            out: tensor(outs.data, outs.shape.slice(1), { offset: part * rows * size }),
            lse: tensor(lses.data, lses.shape.slice(1), { offset: part * rows }),
          },
        })
      return { outs, lses }
    }
    const shown = showAttention(photo, bench, {
      tokens: coarse,
      query: heads,
      attend(value) {
        const { outs, lses } = attend(value)
        return mergeAttention(outs, lses).out
      },
    })
    const { outs, lses } = attend(heads)
    const { row } = bench.measure({
      label: 'the joining alone',
      shape: outs.shape.join('×'),
      // A product and a sum an element of each part.
      flops: 2 * outs.data.length,
      run: () => mergeAttention(outs, lses).out,
      output: out => out,
      expected: () => reference.attention(heads, heads, heads, scale),
    })
    return { ...shown, rows: [...shown.rows, row] }
  },
}
