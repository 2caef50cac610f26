import { classAttention, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { tokenAt } from '../photo/grid.ts'
import { sharpness } from '../photo/photo.ts'
import { askedBy, classFigures } from './shared/classToken.ts'
import { constant, selection } from './shared/handmade.ts'
import * as reference from './shared/reference.ts'

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'One token that stands for no patch asks all of them, and nobody else asks anything: how a network sums up a picture.',
  show(photo, bench) {
    const { coarse } = photo
    const heads = coarse.heads.shape[1]!
    const size = coarse.tokens.shape[2]!
    const width = size + coarse.count
    const weights = {
      'q.weight': selection(width, 0, size, (sharpness / size) * Math.sqrt(width)),
      'k.weight': selection(width, 0, size),
      'v.weight': selection(width, size, width),
      'proj.weight': selection(width, 0, width),
      'proj.bias': constant(width, 0),
    }
    const x = askedBy(coarse, tokenAt(coarse, photo.spots[0]!), false)
    const asking = tensor(x.data, [1, heads, 1, size / heads], { strides: [0, size / heads, 0, 1] })
    const all = tensor(x.data, [1, heads, 1 + coarse.count, size / heads], {
      strides: [0, size / heads, size, 1],
    })
    const each = selection(size, 0, size)
    const own = {
      'q.weight': each,
      'k.weight': each,
      'v.weight': each,
      'proj.weight': each,
      'proj.bias': constant(size, 0),
    }
    const { row } = bench.measure({
      label: '16 px patches',
      shape: `1×(1+${coarse.count})×${size}, ${heads} heads`,
      flops: 8 * size * size + 4 * (1 + coarse.count) * heads * size,
      run: () => classAttention(x, own, { heads }).out,
      output: out => out,
      expected: () => reference.attention(asking, all, all, 1 / Math.sqrt(size / heads)),
    })
    return {
      rows: [row],
      figures: classFigures(photo, token => {
        const { out } = classAttention(askedBy(coarse, token, true), weights, { heads: 1 })
        return out.data.slice(size) as Float32Array
      }),
    }
  },
}
