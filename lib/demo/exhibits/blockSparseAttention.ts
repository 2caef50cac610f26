import { blockSparseAttention, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention } from './shared/attention.ts'

/** Rows of patches that make a block. */
const rowsOfBlock = 2

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Any pattern, as a list of blocks. Here a band of the picture sees itself and every third band above and below.',
  show(photo, bench) {
    const { coarse } = photo
    const { heads, columns, count } = coarse
    const blockSize = rowsOfBlock * columns
    const blocks = Math.ceil(count / blockSize)
    const seen = (row: number, column: number): boolean => (row - column) % 3 === 0
    const offsets = [0]
    const indices: number[] = []
    for (let row = 0; row < blocks; row++) {
      for (let column = 0; column < blocks; column++) if (seen(row, column)) indices.push(column)
      offsets.push(indices.length)
    }
    const rowOffsets = tensor(Int32Array.from(offsets), [blocks + 1])
    const columnIndices = tensor(Int32Array.from(indices), [indices.length])
    const options = { blockSize, scale: defaultScale(heads) }
    return showAttention(photo, bench, {
      tokens: coarse,
      query: heads,
      attend: value =>
        blockSparseAttention(heads, heads, value, rowOffsets, columnIndices, options).out,
      sees: (query, key) => seen(Math.floor(query / blockSize), Math.floor(key / blockSize)),
    })
  },
}
