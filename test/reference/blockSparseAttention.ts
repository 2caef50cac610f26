// Any pattern, written as the list of key blocks that each block of queries sees.
import { attend } from './grid.ts'
import { range } from './maths.ts'
import type { Reference } from './reference.ts'

export const blockSparseAttention: Reference = {
  op: 'blockSparseAttention',
  withoutGolden: 'its patterns are those of sparseAttention, which has cases',
  required: ['query', 'key', 'value', 'rowOffsets', 'columnIndices'],
  takesWeights: false,
  always: ['out'],
  isBatched: name => name === 'query' || name === 'key' || name === 'value',
  compute({ tensors, params }) {
    const { query, key, value, rowOffsets, columnIndices, blockMask } = tensors
    const D = query!.shape[3]!
    const Lk = key!.shape[2]!
    const { blockSize, scale = 1 / Math.sqrt(D) } = params as { blockSize: number; scale?: number }
    const perHead = rowOffsets!.shape.length === 2
    const rowsPerHead = rowOffsets!.shape.at(-1)!
    const blocksPerHead = columnIndices!.shape.at(-1)!

    const keysOf = (_: number, h: number, i: number): number[] => {
      const head = perHead ? h : 0
      const r = Math.floor(i / blockSize)
      const first = rowOffsets!.data[head * rowsPerHead + r]!
      const end = rowOffsets!.data[head * rowsPerHead + r + 1]!
      return range(end - first).flatMap(n => {
        const block = head * blocksPerHead + first + n
        return range(blockSize)
          .filter(c => {
            const inside = (block * blockSize + (i % blockSize)) * blockSize + c
            return blockMask === undefined || blockMask.data[inside] !== 0
          })
          .map(c => columnIndices!.data[block]! * blockSize + c)
          .filter(j => j < Lk)
      })
    }
    return attend({ query: query!, key: key!, value: value! }, scale, keysOf)
  },
}
