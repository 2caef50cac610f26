import { integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { floatDtypes } from '../core/tensors/tensor.ts'
import { checkKeyHeads, scaleParam } from './shared/heads.ts'

/** Optional tensors and parameters of {@link blockSparseAttention}. */
export interface BlockSparseAttentionOptions {
  /** Uint8Array [nnz, blockSize, blockSize] (or [H, ...]), 0 hides an element of a listed block. */
  readonly blockMask?: TensorLike | undefined
  /** Queries, and keys, of a block: >= 1. */
  readonly blockSize: number
  /** Factor of the scores. Default 1/sqrt(D). */
  readonly scale?: number | undefined
}

/** Outputs of {@link blockSparseAttention}. */
export interface BlockSparseAttentionOutputs {
  /** [B, H, Lq, Dv]. */
  out: Output
  /** [B, H, Lq] natural logarithm of the sum of exp(score); -Infinity for a query that sees no key. */
  lse?: Output
}

/**
 * Attention over any pattern of blocks, as compressed rows: the queries of block row r see the keys of the
 * blocks columnIndices[rowOffsets[r]] .. columnIndices[rowOffsets[r + 1] - 1].
 *
 * Shapes: query [B, H, Lq, D], key [B, Hkv, Lk, D], value [B, Hkv, Lk, Dv], each float32, float16 or
 * bfloat16; rowOffsets Int32Array [R + 1]
 * with R = ceil(Lq / blockSize), from 0, not decreasing, to nnz; columnIndices Int32Array [nnz], strictly
 * increasing within a row, below ceil(Lk / blockSize). With a leading axis [H] on the pattern's tensors
 * every head has its own; nnz is then the largest of them. Blocks at the end are cut.
 *
 *     rowOffsets [0, 1, 3], columnIndices [0, 0, 1], blockSize 2:
 *       ■ ■ . .
 *       ■ ■ . .
 *       ■ ■ ■ ■
 *       ■ ■ ■ ■
 *
 * The cost follows the listed blocks. Scratch is at most 0.8 MB a thread, and 4 bytes a key of a block row
 * (with blockMask, blockSize bytes more).
 *
 * Paper: block-sparse attention as in Child et al. 2019, sec. 5.5; the semantics are scaled dot-product
 * attention under the equal mask.
 *
 * @throws RangeError ERR_FOVEA_BOUNDS where the pattern is not well formed; ERR_FOVEA_SHAPE.
 * @example
 * ```ts
 * import { blockSparseAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(4 * 8).fill(0.1), [1, 1, 4, 8])
 * const rows = tensor(new Int32Array([0, 1, 3]), [3])
 * const columns = tensor(new Int32Array([0, 0, 1]), [3])
 * const { out } = blockSparseAttention(x, x, x, rows, columns, { blockSize: 2 })
 * ```
 */
export const blockSparseAttention = operation<
  [
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    rowOffsets: TensorLike,
    columnIndices: TensorLike,
  ],
  BlockSparseAttentionOptions,
  BlockSparseAttentionOutputs
>({
  name: 'blockSparseAttention',
  summary: 'Any pattern, as rows of blocks',
  paper: 'Child et al. 2019, Generating Long Sequences with Sparse Transformers, sec. 5.5',
  tensors: {
    query: { shape: 'B H Lq D', dtype: floatDtypes },
    key: { shape: 'B Hkv Lk D', dtype: floatDtypes },
    value: { shape: 'B Hkv Lk Dv', dtype: floatDtypes },
    rowOffsets: { shape: ['Offsets', 'H Offsets'], dtype: 'int32', min: 0 },
    columnIndices: { shape: ['Nnz', 'H Nnz'], dtype: 'int32', min: 0 },
    blockMask: { shape: ['Nnz Bs Bs', 'H Nnz Bs Bs'], dtype: 'uint8', optional: true },
  },
  outputs: { out: { shape: 'B H Lq Dv' }, lse: { shape: 'B H Lq', optional: true } },
  mayBeEmpty: ['Nnz'],
  params: {
    blockSize: integer({ min: 1 }),
    scale: scaleParam(),
  },
  check(c) {
    checkKeyHeads(c)
    const size = c.number('blockSize')
    const [rows, blocks] = [Math.ceil(c.dim('Lq') / size), Math.ceil(c.dim('Lk') / size)]
    const [offsets, columns] = [c.ints('rowOffsets'), c.ints('columnIndices')]
    const perHead = c.shape('rowOffsets')?.length === 2
    if (c.dim('Offsets') !== rows + 1)
      c.fail(
        'rowOffsets',
        'ERR_FOVEA_SHAPE',
        `have ${rows + 1} entries (block rows + 1)`,
        c.dim('Offsets'),
      )
    for (const [name, rank] of [
      ['columnIndices', 1],
      ['blockMask', 3],
    ] as const) {
      const shape = c.shape(name)
      if (shape !== undefined && shape.length !== rank + (perHead ? 1 : 0))
        c.fail(
          name,
          'ERR_FOVEA_RANK',
          'have an axis for the heads exactly where rowOffsets has one',
          shape,
        )
    }
    if (c.has('blockMask') && c.dim('Bs') !== size)
      c.fail('blockMask', 'ERR_FOVEA_SHAPE', `have blocks of ${size} x ${size}`, c.dim('Bs'))
    const entries = c.dim('Nnz')
    for (let h = 0; h < (perHead ? c.dim('H') : 1); h++) {
      const row = offsets.subarray(h * (rows + 1), (h + 1) * (rows + 1))
      const last = row[rows] as number
      if (row[0] !== 0) c.fail('rowOffsets', 'ERR_FOVEA_BOUNDS', 'start at 0', row[0])
      if (perHead ? last > entries : last !== entries)
        c.fail('rowOffsets', 'ERR_FOVEA_BOUNDS', `end at ${perHead ? 'most ' : ''}${entries}`, last)
      for (let r = 0; r < rows; r++) {
        const [begin, end] = [row[r] as number, row[r + 1] as number]
        if (end < begin)
          c.fail('rowOffsets', 'ERR_FOVEA_BOUNDS', 'not decrease', `${begin}, ${end}`)
        if (end > entries) c.fail('rowOffsets', 'ERR_FOVEA_BOUNDS', `be at most ${entries}`, end)
        for (let e = begin; e < end; e++) {
          const column = columns[h * entries + e] as number
          if (column >= blocks)
            c.fail('columnIndices', 'ERR_FOVEA_BOUNDS', `be below ${blocks}`, column)
          if (e > begin && column <= (columns[h * entries + e - 1] as number))
            c.fail('columnIndices', 'ERR_FOVEA_BOUNDS', 'increase within a row', column)
        }
      }
    }
  },
})
