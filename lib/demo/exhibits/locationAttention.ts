import { locationAttention, slice, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention } from './shared/attention.ts'
import { headOf, withHead } from './shared/singleHead.ts'

/** The head of a token that says where it lies. */
const place = 2

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'A patch chooses places without looking at what is there: the weights know the places, the picture has no say.',
  show(photo, bench) {
    const { coarse } = photo
    const query = slice(coarse.heads, 1, place, place + 1)
    const size = query.shape[3]!
    const own = headOf(query)
    const W = new Float32Array(coarse.count * size)
    for (let j = 0; j < coarse.count; j++)
      for (let d = 0; d < size; d++)
        W[j * size + d] =
          (own.data[own.offset + j * own.strides[1]! + d * own.strides[2]!] as number) *
          defaultScale(query)
    const weights = { W: tensor(W, [coarse.count, size]) }
    return showAttention(photo, bench, {
      tokens: coarse,
      query,
      attend: value => withHead(locationAttention(own, headOf(value), weights).out),
    })
  },
}
