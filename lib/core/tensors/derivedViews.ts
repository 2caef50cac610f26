// Views that callers make of other views. Nothing is copied.
import { type Code, fail, formatList } from '../errors.ts'
import { arrayKind, isArray } from '../memory.ts'
import type { Tensor, TensorLike } from './tensor.ts'
import { type Given, readLayout, View } from './view.ts'

type DataOf<T> = T extends { readonly data: infer Data } ? Data : never
type NameOf<T> = T extends { readonly dtype: infer Type extends string } ? Type : string

interface Layout {
  readonly view: View
  readonly data: unknown
  readonly dtype: string
}

/** Any tensor: those that only files hold (float64, int64) too. */
function readTensor(operation: string, value: unknown): Layout {
  const where = { operation, prefix: '', name: 'tensor' }
  if (typeof value !== 'object' || value === null) {
    fail(operation, 'tensor', 'ERR_FOVEA_TYPE', 'be a tensor', value)
  }
  const given = value as Given
  const data = given.data
  const kind = arrayKind.call(data)
  if (kind === undefined) {
    fail(operation, 'tensor', 'ERR_FOVEA_TYPE', 'have a typed array as its data', data)
  }
  const view = new View()
  readLayout(view, where, given, data, (data as Float32Array).BYTES_PER_ELEMENT)
  const dtype = given.dtype ?? (kind === 'Uint16Array' ? given.type : undefined)
  return { view, data, dtype: typeof dtype === 'string' ? dtype : dtypeNamed(kind) }
}

// 'Float32Array' is float32, 'BigInt64Array' is int64.
function dtypeNamed(kind: string): string {
  return kind.replace(/^Big|Clamped|Array$/g, '').toLowerCase()
}

function derived<T>(
  { data, dtype }: Layout,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): Tensor<DataOf<T>, NameOf<T>> {
  return { data: data as DataOf<T>, shape, strides, offset, dtype: dtype as NameOf<T> }
}

function readIndices(operation: string, name: string, code: Code, value: unknown): number[] {
  if (!isArray(value))
    fail(operation, name, 'ERR_FOVEA_TYPE', 'be an array of whole numbers', value)
  const numbers: number[] = []
  const count = value.length
  for (let i = 0; i < count; i++)
    numbers.push(readIndex(operation, `${name}[${i}]`, code, value[i]))
  return numbers
}

function readIndex(operation: string, name: string, code: Code, value: unknown): number {
  if (typeof value !== 'number') {
    fail(operation, name, 'ERR_FOVEA_TYPE', 'be a whole number', value)
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    fail(operation, name, code, 'be a whole number of at least 0', value)
  }
  return value + 0
}

/**
 * The view with its axes in another order: axis i of the result is axis `order[i]` of `t`.
 *
 * @throws TypeError ERR_FOVEA_TYPE; RangeError ERR_FOVEA_RANK and what {@link tensor} throws
 * @example
 * ```ts
 * import { permute, tensor } from 'fovea'
 * const x = tensor(new Float32Array(1 * 16 * 8 * 64), [1, 16, 8, 64]) // [B, L, H, D]
 * console.log(permute(x, [0, 2, 1, 3]).shape) // => [ 1, 8, 16, 64 ]
 * ```
 */
export function permute<const T extends TensorLike>(
  t: T,
  order: readonly number[],
): Tensor<DataOf<T>, NameOf<T>> {
  const layout = readTensor('permute', t)
  const { view } = layout
  const axes = readIndices('permute', 'order', 'ERR_FOVEA_RANK', order)
  const isPermutation =
    axes.length === view.rank && new Set(axes).size === view.rank && axes.every(a => a < view.rank)
  if (!isPermutation) {
    const rule = `name each of the ${view.rank} axes once`
    fail('permute', 'order', 'ERR_FOVEA_RANK', rule, formatList(axes))
  }
  const shape = axes.map(axis => view.shape[axis]!)
  const strides = axes.map(axis => view.strides[axis]!)
  return derived(layout, shape, strides, view.offset)
}

/**
 * The view of indices `start` up to, but without, `end` of an axis.
 *
 * @param end the size of the axis where left out
 * @throws TypeError ERR_FOVEA_TYPE; RangeError ERR_FOVEA_RANK (no such axis), ERR_FOVEA_BOUNDS and what
 * {@link tensor} throws
 * @example
 * ```ts
 * import { slice, tensor } from 'fovea'
 * const k = tensor(new Float32Array(1 * 8 * 512 * 64), [1, 8, 512, 64])
 * console.log(slice(k, 2, 0, 100).shape) // => [ 1, 8, 100, 64 ]
 * ```
 */
export function slice<const T extends TensorLike>(
  t: T,
  axis: number,
  start: number,
  end?: number,
): Tensor<DataOf<T>, NameOf<T>> {
  const layout = readTensor('slice', t)
  const { view } = layout
  const along = readIndex('slice', 'axis', 'ERR_FOVEA_RANK', axis)
  if (along >= view.rank) {
    fail('slice', 'axis', 'ERR_FOVEA_RANK', `be an axis of a tensor of rank ${view.rank}`, along)
  }
  const size = view.shape[along]!
  const from = readIndex('slice', 'start', 'ERR_FOVEA_BOUNDS', start)
  const to = end === undefined ? size : readIndex('slice', 'end', 'ERR_FOVEA_BOUNDS', end)
  if (to > size) {
    fail('slice', 'end', 'ERR_FOVEA_BOUNDS', `be at most the size ${size} of axis ${along}`, to)
  }
  if (from > to) fail('slice', 'start', 'ERR_FOVEA_BOUNDS', `be at most the end ${to}`, from)
  const shape = view.sizes()
  shape[along] = to - from
  const strides = view.strides.slice(0, view.rank)
  // An empty view has no first element to point at.
  const offset = to === from ? view.offset : view.offset + from * strides[along]!
  return derived(layout, shape, strides, offset)
}

/**
 * The same elements in the same order under another shape. A view whose layout cannot be kept without
 * copying is refused: `reshape` never copies.
 *
 * @throws TypeError ERR_FOVEA_TYPE; RangeError ERR_FOVEA_SHAPE (other number of elements),
 * ERR_FOVEA_STRIDE (would need a copy) and what {@link tensor} throws
 * @example
 * ```ts
 * import { reshape, tensor } from 'fovea'
 * const map = tensor(new Float32Array(1 * 14 * 14 * 64), [1, 14, 14, 64])
 * console.log(reshape(map, [1, 14 * 14, 64]).shape) // => [ 1, 196, 64 ]
 * ```
 */
export function reshape<const T extends TensorLike>(
  t: T,
  shape: readonly number[],
): Tensor<DataOf<T>, NameOf<T>> {
  const layout = readTensor('reshape', t)
  const { view } = layout
  const sizes = readIndices('reshape', 'shape', 'ERR_FOVEA_SHAPE', shape)
  const count = sizes.reduce((product, size) => product * size, 1)
  if (count !== view.size) {
    const rule = `have ${view.size} elements, as the tensor has`
    fail('reshape', 'shape', 'ERR_FOVEA_SHAPE', rule, formatList(sizes))
  }
  const strides = reshapedStrides(view, sizes)
  if (strides === undefined) {
    const from = formatList(view.sizes()).text
    const steps = formatList(view.strides.slice(0, view.rank)).text
    const rule = `keep the layout of a tensor of shape ${from} and strides ${steps}, for nothing is copied`
    fail('reshape', 'shape', 'ERR_FOVEA_STRIDE', rule, formatList(sizes))
  }
  return derived(layout, sizes, strides, view.offset)
}

/**
 * Strides that show the same elements in the same order, or undefined where there are none. Old and new
 * axes are taken from the front in groups with equal products; within a group the old axes must lie
 * evenly spaced, so that they can be one axis that is then divided anew.
 */
function reshapedStrides(view: View, sizes: readonly number[]): number[] | undefined {
  const old: { size: number; stride: number }[] = []
  if (view.size > 0) {
    for (let axis = 0; axis < view.rank; axis++) {
      if (view.shape[axis] !== 1) old.push({ size: view.shape[axis]!, stride: view.strides[axis]! })
    }
  }
  const strides = new Array<number>(sizes.length)
  let oldAxis = 0
  let newAxis = 0
  while (oldAxis < old.length) {
    let oldEnd = oldAxis + 1
    let newEnd = newAxis + 1
    let oldCount = old[oldAxis]!.size
    let newCount = sizes[newAxis]!
    while (oldCount !== newCount) {
      if (newCount < oldCount) newCount *= sizes[newEnd++]!
      else oldCount *= old[oldEnd++]!.size
    }
    for (let axis = oldAxis + 1; axis < oldEnd; axis++) {
      if (old[axis - 1]!.stride !== old[axis]!.size * old[axis]!.stride) return undefined
    }
    let stride = old[oldEnd - 1]!.stride
    for (let axis = newEnd - 1; axis >= newAxis; axis--) {
      strides[axis] = stride
      stride *= sizes[axis]!
    }
    oldAxis = oldEnd
    newAxis = newEnd
  }
  // What is left are axes of size 1, or all of an empty tensor.
  let step = 1
  for (let axis = sizes.length - 1; axis >= newAxis; axis--) {
    strides[axis] = step
    step *= sizes[axis]!
  }
  return strides
}
