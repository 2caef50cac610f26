import { slidingWindowAttention, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { tokenAt } from '../photo/grid.ts'
import { defaultScale, showAttention } from './shared/attention.ts'

/** Patches to either side. */
const reach = 4

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'A patch sees its neighbours in reading order. Dilated by the length of a row they lie above and below it. One global patch sees all, and is seen by all.',
  show(photo, bench) {
    const { coarse } = photo
    const { heads, columns, count } = coarse
    // Along the row, along the column, along the diagonal: one head each.
    const dilation = [1, columns, columns + 1]
    const global = tokenAt(coarse, photo.spots[0]!)
    const flags = new Uint8Array(count)
    flags[global] = 1
    const options = {
      scale: defaultScale(heads),
      windowLeft: reach,
      windowRight: reach,
      dilation,
      globalTokens: tensor(flags, [1, count]),
    }
    return showAttention(photo, bench, {
      tokens: coarse,
      query: heads,
      attend: value => slidingWindowAttention(heads, heads, value, options).out,
      sees: (query, key, head) =>
        query === global ||
        key === global ||
        ((key - query) % dilation[head]! === 0 && Math.abs(key - query) <= reach * dilation[head]!),
    })
  },
}
