// Ways into a tensor: by index, by row, by head. Rows are views of the tensor's own data.
import { type Dense, rowMajor, sizeOf, toDense } from '../support/tensors.ts'
import { type Dense64, dot, float64, range, softmaxRow } from './maths.ts'

/** Every index of a shape, the last axis fastest. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const index = shape.map(() => 0)
  for (let n = sizeOf(shape); n > 0; n--) {
    yield [...index]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++
      if (index[axis]! < shape[axis]!) break
      index[axis] = 0
    }
  }
}

const flat = (shape: readonly number[], index: readonly number[]): number =>
  index.reduce((at, i, axis) => at * shape[axis]! + i, 0)

/** Element at an index that may lie before an axis; the rest of it is a row. */
export function row({ data, shape }: Dense, ...index: readonly number[]): ArrayLike<number> {
  const size = sizeOf(shape.slice(index.length))
  const start = flat(shape, index) * size
  return data.subarray(start, start + size)
}

export const at = ({ data, shape }: Dense, ...index: readonly number[]): number =>
  data[flat(shape, index)]!

export function setRow(out: Dense64, values: ArrayLike<number>, ...index: readonly number[]): void {
  out.data.set(values, flat(out.shape, index) * sizeOf(out.shape.slice(index.length)))
}

export function set(out: Dense64, value: number, ...index: readonly number[]): void {
  out.data[flat(out.shape, index)] = value
}

/** The tensor with its axes in another order, copied. */
export const permuted = (tensor: Dense, order: readonly number[]): Dense64 =>
  toDense({
    data: tensor.data,
    shape: order.map(axis => tensor.shape[axis]!),
    strides: order.map(axis => rowMajor(tensor.shape)[axis]!),
  }) as Dense64

export const reshaped = ({ data }: Dense, shape: readonly number[]): Dense => ({ data, shape })

/** [B, N, H * D] to [B, H, N, D]: head h is channels h * D .. (h + 1) * D - 1. */
export function splitHeads(tensor: Dense, heads: number): Dense64 {
  const [B, N, C] = tensor.shape as [number, number, number]
  return permuted(reshaped(tensor, [B, N, heads, C / heads]), [0, 2, 1, 3])
}

/** [B, H, N, D] back to [B, N, H * D]. */
export function joinHeads(tensor: Dense): Dense64 {
  const [B, H, N, D] = tensor.shape as [number, number, number, number]
  return reshaped(permuted(tensor, [0, 2, 1, 3]), [B, N, H * D]) as Dense64
}

/** Channels [start, end) of the last axis, copied. */
export function channels(tensor: Dense, start: number, end: number): Dense64 {
  const out = float64([...tensor.shape.slice(0, -1), end - start])
  for (const index of indices(tensor.shape.slice(0, -1))) {
    setRow(out, Array.from(row(tensor, ...index)).slice(start, end), ...index)
  }
  return out
}

export interface Attended {
  readonly out: number[]
  readonly weights: number[]
  readonly lse: number
}

/** One query over the keys it sees: softmax of their scores, and the average of their values. */
export function attendRow(
  scores: readonly number[],
  values: readonly ArrayLike<number>[],
  width: number,
  sink?: number,
): Attended {
  const { weights, lse } = softmaxRow(scores, sink)
  const out = new Array<number>(width).fill(0)
  values.forEach((value, n) => {
    for (let d = 0; d < width; d++) out[d]! += weights[n]! * value[d]!
  })
  return { out, weights, lse }
}

export interface Heads {
  readonly query: Dense
  readonly key: Dense
  readonly value: Dense
}

/** The rows of each head, listed once. */
function rowsOfHeads(tensor: Dense): (b: number, h: number) => readonly ArrayLike<number>[] {
  const [B, H, L] = tensor.shape as [number, number, number]
  const all = range(B * H).map(n => range(L).map(j => row(tensor, Math.floor(n / H), n % H, j)))
  return (b, h) => all[b * H + h]!
}

/**
 * Scaled dot-product attention where query i of head h in batch b sees exactly `keysOf(b, h, i)`;
 * [B, H, L, D] throughout, kv heads shared by groups of query heads. `scoreOf` may change a score
 * further.
 */
export function attend(
  { query, key, value }: Heads,
  scale: number,
  keysOf: (b: number, h: number, i: number) => readonly number[],
  scoreOf = (score: number, _b: number, _h: number, _i: number, _j: number): number => score,
  sinkOf: (h: number) => number | undefined = () => undefined,
): { out: Dense64; lse: Dense64 } {
  const [B, H, L] = query.shape as [number, number, number]
  const group = H / key.shape[1]!
  const width = value.shape[3]!
  const out = float64([B, H, L, width])
  const lse = float64([B, H, L])
  const [keyRows, valueRows] = [rowsOfHeads(key), rowsOfHeads(value)]
  for (const [b, h, i] of indices([B, H, L]) as Iterable<[number, number, number]>) {
    const kv = Math.floor(h / group)
    const keys = keysOf(b, h, i)
    const q = row(query, b, h, i)
    const scores = keys.map(j => scoreOf(scale * dot(q, keyRows(b, kv)[j]!), b, h, i, j))
    const values = keys.map(j => valueRows(b, kv)[j]!)
    const attended = attendRow(scores, values, width, sinkOf(h))
    setRow(out, attended.out, b, h, i)
    set(lse, attended.lse, b, h, i)
  }
  return { out, lse }
}

/** Key lengths of a batch, all of `length` where none are given. */
export const lengthsOf = (batch: number, length: number, lengths?: Dense): number[] =>
  range(batch).map(b => lengths?.data[b] ?? length)
