import { blockSparseAttention as reference } from '../reference/blockSparseAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { Random } from '../support/random.ts'
import { type Dense, type Inputs, int32 } from '../support/tensors.ts'
import { heads, sizes } from './shared/attentionInputs.ts'
import { describeHalves } from './shared/halves.ts'

/** A random pattern of rows x columns blocks: offsets and columns, one head. */
function pattern(
  random: Random,
  rows: number,
  columns: number,
): { offsets: number[]; listed: number[] } {
  const offsets = [0]
  const listed: number[] = []
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) if (random.boolean(0.4)) listed.push(c)
    offsets.push(listed.length)
  }
  return { offsets, listed }
}

function blocks(random: Random, given: object = {}, blockSize = random.integer(1, 40)): Inputs {
  const s = sizes(random, given)
  const [rows, columns] = [Math.ceil(s.Lq / blockSize), Math.ceil(s.Lk / blockSize)]
  const tensors: Record<string, Dense> = heads(random, s)
  if (random.boolean()) {
    const { offsets, listed } = pattern(random, rows, columns)
    tensors.rowOffsets = int32(offsets)
    tensors.columnIndices = int32(listed)
    if (random.boolean())
      tensors.blockMask = random.mask([listed.length, blockSize, blockSize], 0.7)
    return { tensors, weights: {}, params: { blockSize } }
  }
  const all = Array.from({ length: s.H }, () => pattern(random, rows, columns))
  const most = Math.max(...all.map(({ listed }) => listed.length))
  tensors.rowOffsets = {
    data: Int32Array.from(all.flatMap(p => p.offsets)),
    shape: [s.H, rows + 1],
  }
  tensors.columnIndices = {
    data: Int32Array.from(
      all.flatMap(p => [...p.listed, ...Array(most - p.listed.length).fill(0)]),
    ),
    shape: [s.H, most],
  }
  if (random.boolean()) tensors.blockMask = random.mask([s.H, most, blockSize, blockSize], 0.7)
  return { tensors, weights: {}, params: { blockSize } }
}

const wrongPattern =
  (offsets: readonly number[], listed: readonly number[], argument: string) =>
  ({ tensors }: Inputs) => ({
    tensors: {
      query: { ...tensors.query!, ...cut(tensors.query!) },
      key: { ...tensors.key!, ...cut(tensors.key!) },
      value: { ...tensors.value!, ...cut(tensors.value!) },
      rowOffsets: int32(offsets),
      columnIndices: int32(listed),
    },
    params: { blockSize: 2 },
    code: 'ERR_FOVEA_BOUNDS' as const,
    argument,
  })

/** The first four positions of one head. */
function cut(tensor: Dense): Dense {
  const width = tensor.shape[3]!
  return { data: new Float32Array(4 * width), shape: [1, 1, 4, width] }
}

describeOperation({
  reference,
  cases: {
    'any pattern': random => blocks(random),
    'any other pattern': random => blocks(random),
    'large blocks': random => blocks(random, { Lq: 130, Lk: 200 }, random.integer(50, 100)),
    'blocks of one': random => blocks(random, { Lq: 20, Lk: 30 }, 1),
    'one block': random => blocks(random, {}, 200),
    'nobody to ask': random => blocks(random, { Lq: 0 }),
    'nothing to see': random => blocks(random, { Lk: 0 }),
  },
  large: {
    long: random => blocks(random, { B: 1, H: 2, Hkv: 1, Lq: 900, Lk: 900, D: 64, Dv: 64 }, 64),
    'small blocks': random => blocks(random, { B: 1, H: 2, Hkv: 2, Lq: 400, Lk: 500, D: 32 }, 8),
    'few queries': random => blocks(random, { B: 2, H: 8, Hkv: 2, Lq: 8, Lk: 900, D: 64 }, 8),
  },
  seeds: { best: 6, others: 2 },
  structure: ['rowOffsets', 'columnIndices'],
  poison: ['query', 'key', 'value'],
  properties: () => {
    describeHalves(reference, { 'any pattern': blocks(new Random('halves'), { Lq: 70, Lk: 90 }) })
  },
  wrong: {
    'a start behind 0': wrongPattern([1, 1, 2], [0, 1], 'rowOffsets'),
    'an end before the last': wrongPattern([0, 1, 1], [0, 1], 'rowOffsets'),
    'offsets that fall': wrongPattern([0, 3, 2], [0, 1], 'rowOffsets'),
    'columns that do not rise': wrongPattern([0, 2, 2], [1, 1], 'columnIndices'),
    'a column past the keys': wrongPattern([0, 1, 2], [0, 2], 'columnIndices'),
    'a negative column': wrongPattern([0, 1, 2], [0, -1], 'columnIndices'),
    'a block of none': {
      params: { blockSize: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'blockSize',
    },
  },
})
