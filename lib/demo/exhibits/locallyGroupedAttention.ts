import { locallyGroupedAttention } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention } from './shared/attention.ts'

/** Patches along a side of a window. */
const side = 7

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'The photograph is cut into windows of 7 × 7 patches. A patch sees its own window and nothing beyond its edge, however near.',
  show(photo, bench) {
    const { coarse } = photo
    const { heads, rows, columns } = coarse
    const options = {
      height: rows,
      width: columns,
      windowHeight: side,
      windowWidth: side,
      scale: defaultScale(heads),
    }
    const windowOf = (token: number): number =>
      Math.floor(Math.floor(token / columns) / side) * columns +
      Math.floor((token % columns) / side)
    return showAttention(photo, bench, {
      tokens: coarse,
      query: heads,
      attend: value => locallyGroupedAttention(heads, heads, value, options).out,
      sees: (query, key) => windowOf(query) === windowOf(key),
    })
  },
}
