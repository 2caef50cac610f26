import { sparseAttention } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention, together } from './shared/attention.ts'

/** Columns of each row of patches that speak for it, in the fixed pattern. */
const summary = 2

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Two sparse sets join what one dense one would: the row and the column of a patch, or its row and the summary columns of all others.',
  show(photo, bench) {
    const { coarse } = photo
    const { heads, columns } = coarse
    const shared = { scale: defaultScale(heads), stride: columns, causal: false }
    const row = (token: number): number => Math.floor(token / columns)
    const strided = showAttention(photo, bench, {
      label: 'strided',
      spots: 3,
      tokens: coarse,
      query: heads,
      attend: value => sparseAttention(heads, heads, value, { ...shared, pattern: 'strided' }).out,
      sees: (query, key) => Math.abs(query - key) < columns || (query - key) % columns === 0,
    })
    const fixed = showAttention(photo, bench, {
      label: 'fixed',
      spots: 3,
      tokens: coarse,
      query: heads,
      attend: value =>
        sparseAttention(heads, heads, value, { ...shared, pattern: 'fixed', summary }).out,
      sees: (query, key) => row(query) === row(key) || key % columns >= columns - summary,
    })
    return together(strided, fixed)
  },
}
