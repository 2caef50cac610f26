// A caller's tensor, read once: every property of every object that a caller hands in is read a single
// time and copied, so that a getter, a Proxy or a second thread cannot show one thing to the checks
// and another to the engine.
import type { NativeArray } from '../addon.ts'
import { type Code, fail, format, formatList, words } from '../errors.ts'
import {
  arrayKind,
  bufferOf,
  byteOffsetOf,
  countOf,
  isArray,
  isDetached,
  isFlexible,
  lengthOf,
} from '../memory.ts'
import type { Dtype } from './tensor.ts'

/** In the engine's order. */
export const dtypes: readonly Dtype[] = ['float32', 'float16', 'bfloat16', 'uint8', 'int32']
const elementBytes = [4, 2, 2, 1, 4]

export const float32 = 0
export const float16 = 1
export const bfloat16 = 2
export const uint8 = 3
export const int32 = 4

/** Far above what any operation needs; keeps what a call describes to the engine bounded. */
const maxRank = 32

/** One tensor of a call. Reused from call to call. */
export class View {
  /** Null where only the shape is known, because prepared weights stand in for the tensor. */
  data: NativeArray | null = null
  buffer: ArrayBufferLike | null = null
  dtype = float32
  rank = 0
  offset = 0
  /** Number of elements. */
  size = 0
  /** The first `rank` entries count. */
  readonly shape: number[] = []
  readonly strides: number[] = []
  /** The bytes low..high-1 of the buffer hold every element; equal where there is none. */
  low = 0
  high = 0

  get elementBytes(): number {
    return elementBytes[this.dtype]!
  }

  /** Lets go of the caller's memory. */
  clear(): void {
    this.data = null
    this.buffer = null
  }

  sizes(): number[] {
    return this.shape.slice(0, this.rank)
  }

  copyLayout(): View {
    const copy = new View()
    copy.dtype = this.dtype
    copy.rank = this.rank
    copy.offset = this.offset
    copy.size = this.size
    for (let axis = 0; axis < this.rank; axis++) {
      copy.shape[axis] = this.shape[axis]!
      copy.strides[axis] = this.strides[axis]!
    }
    return copy
  }

  isContiguous(): boolean {
    let step = 1
    for (let axis = this.rank - 1; axis >= 0; axis--) {
      if (this.strides[axis] !== step) return false
      step *= this.shape[axis]!
    }
    return true
  }

  /** Row-major strides for the present shape, at offset 0. */
  makeContiguous(): void {
    let step = 1
    for (let axis = this.rank - 1; axis >= 0; axis--) {
      this.strides[axis] = step
      step *= this.shape[axis]!
    }
    this.offset = 0
  }
}

/** Who is asking, for the errors. */
export interface Argument {
  readonly operation: string
  readonly prefix: string
  readonly name: string
}

function refuse(argument: Argument, code: Code, rule: string, received: unknown): never {
  fail(argument.operation, argument.prefix + argument.name, code, rule, received)
}

export interface Given {
  readonly data?: unknown
  readonly shape?: unknown
  readonly dims?: unknown
  readonly strides?: unknown
  readonly stride?: unknown
  readonly offset?: unknown
  readonly dtype?: unknown
  readonly type?: unknown
}

const dtypeNames: Readonly<Record<string, readonly unknown[]>> = {
  Float32Array: ['float32'],
  Float16Array: ['float16'],
  Int32Array: ['int32'],
  // What a mask is called elsewhere.
  Uint8Array: ['uint8', 'bool'],
}

function dtypeOf(
  argument: Argument,
  given: Given,
  kind: string | undefined,
  data: unknown,
): number {
  const dtype = given.dtype
  switch (kind) {
    case 'Float32Array':
      if (dtype === undefined || dtype === 'float32') return float32
      break
    case 'Uint8Array':
      if (dtype === undefined || dtype === 'uint8' || dtype === 'bool') return uint8
      break
    case 'Int32Array':
      if (dtype === undefined || dtype === 'int32') return int32
      break
    case 'Float16Array':
      if (dtype === undefined || dtype === 'float16') return float16
      break
    case 'Uint16Array': {
      // An onnxruntime Tensor says it in `type`.
      const said = dtype ?? given.type
      if (said === 'float16') return float16
      if (said === 'bfloat16') return bfloat16
      return refuse(
        argument,
        'ERR_FOVEA_TYPE',
        "have dtype 'float16' or 'bfloat16' over a Uint16Array",
        said,
      )
    }
    default:
      return refuse(
        argument,
        'ERR_FOVEA_TYPE',
        'have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array',
        data,
      )
  }
  const names = dtypeNames[kind]!.map(name => `'${name as string}'`).join(' or ')
  return refuse(argument, 'ERR_FOVEA_TYPE', `have dtype ${names} over a ${kind}`, dtype)
}

// `n >>> 0` and `n | 0` are the common case, decided in a few instructions; they turn -0 into 0 too.

function checkSize(argument: Argument, size: unknown): number {
  if (typeof size === 'number' && size >>> 0 === size) return size >>> 0
  if (typeof size !== 'number') {
    refuse(argument, 'ERR_FOVEA_TYPE', 'have numbers as its sizes', size)
  }
  if (!Number.isSafeInteger(size) || size < 0) {
    refuse(argument, 'ERR_FOVEA_SHAPE', 'have whole sizes of 0 to 2^53 - 1', size)
  }
  return size
}

function checkStride(argument: Argument, stride: unknown): number {
  if (typeof stride === 'number' && (stride | 0) === stride) return stride | 0
  if (typeof stride !== 'number') {
    refuse(argument, 'ERR_FOVEA_TYPE', 'have numbers as its strides', stride)
  }
  if (!Number.isSafeInteger(stride)) {
    refuse(argument, 'ERR_FOVEA_STRIDE', 'have whole strides', stride)
  }
  return stride
}

/** Reads `value` into `view` and checks everything that does not depend on the operation. */
export function readView(view: View, argument: Argument, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    refuse(argument, 'ERR_FOVEA_TYPE', 'be a tensor', value)
  }
  const given = value as Given
  const data = given.data
  const kind = arrayKind.call(data)
  const dtype = dtypeOf(argument, given, kind, data)
  view.dtype = dtype
  readLayout(view, argument, given, data, elementBytes[dtype]!)
  // What crosses the bridge is the plain words.
  view.data = (
    kind === 'Float16Array'
      ? new Uint16Array(view.buffer!, byteOffsetOf.call(data), lengthOf.call(data))
      : data
  ) as NativeArray
}

/** Shape, strides and offset of a view over `data`, a typed array; that it lies inside, and its memory stays. */
export function readLayout(
  view: View,
  argument: Argument,
  given: Given,
  data: unknown,
  bytes: number,
): void {
  const sizes = given.shape ?? given.dims
  if (!isArray(sizes)) refuse(argument, 'ERR_FOVEA_TYPE', 'have an array as its shape', sizes)
  const rank = countOf(sizes)
  if (rank < 0 || rank > maxRank) {
    refuse(argument, 'ERR_FOVEA_RANK', `have at most ${maxRank} axes`, rank < 0 ? sizes : rank)
  }
  const { shape, strides } = view
  let size = 1
  let extent = 1 // the product of the sizes with 1 for 0: what indices are computed from
  for (let axis = 0; axis < rank; axis++) {
    const n = checkSize(argument, sizes[axis])
    shape[axis] = n
    size *= n
    if (n > 1) extent *= n
  }
  if (extent > Number.MAX_SAFE_INTEGER) {
    refuse(
      argument,
      'ERR_FOVEA_SHAPE',
      'have at most 2^53 - 1 elements',
      formatList(shape.slice(0, rank)),
    )
  }

  // A function is a method of that name, as transformers.js has it.
  let steps: unknown = given.strides
  if (steps === undefined || steps === null || typeof steps === 'function') {
    steps = given.stride
    if (!isArray(steps)) steps = undefined
  } else if (!isArray(steps)) {
    refuse(argument, 'ERR_FOVEA_TYPE', 'have an array as its strides', steps)
  }
  if (steps !== undefined) {
    const list = steps as readonly unknown[]
    const count = countOf(list)
    if (count !== rank) {
      refuse(argument, 'ERR_FOVEA_STRIDE', `have ${rank} strides, one an axis`, count)
    }
    for (let axis = 0; axis < rank; axis++) strides[axis] = checkStride(argument, list[axis])
  }
  let offset = 0
  const start = given.offset
  if (start !== undefined && start !== null) {
    if (typeof start !== 'number') {
      refuse(argument, 'ERR_FOVEA_TYPE', 'have a number as its offset', start)
    }
    if (!Number.isSafeInteger(start) || start < 0) {
      refuse(argument, 'ERR_FOVEA_BOUNDS', 'have a whole offset of at least 0', start)
    }
    offset = start + 0
  }

  // From here on no code of the caller's runs any more.
  const buffer = bufferOf.call(data)
  const length = lengthOf.call(data)
  if (isFlexible(buffer)) {
    refuse(
      argument,
      'ERR_FOVEA_RESIZABLE',
      'lie in memory of a fixed size and place',
      words('a resizable, growable or WebAssembly buffer'),
    )
  }
  if (length === 0 && isDetached(buffer)) {
    refuse(
      argument,
      'ERR_FOVEA_DETACHED',
      'lie in memory that is there',
      words('a detached buffer'),
    )
  }
  view.buffer = buffer
  view.rank = rank
  view.size = size
  const base = byteOffsetOf.call(data)

  if (size === 0) {
    if (offset > length) outOfBounds(argument, offset, offset, length)
    // No element, hence no address: the engine is given nothing to compute wild ones from.
    view.makeContiguous()
    view.low = view.high = base
    return
  }
  if (steps === undefined) {
    view.makeContiguous()
    if (offset + size > length) outOfBounds(argument, offset, offset + size - 1, length)
    view.offset = offset
    view.low = base + offset * bytes
    view.high = base + (offset + size) * bytes
    return
  }
  let first = offset
  let last = offset
  let inner = 1
  for (let axis = rank - 1; axis >= 0; axis--) {
    const n = shape[axis]!
    // The stride of an axis of size 1 is never used; the row-major one lets dense rows be seen as such.
    if (n === 1) strides[axis] = inner
    const stride = strides[axis]!
    if (stride < 0) first += (n - 1) * stride
    else last += (n - 1) * stride
    inner = n * stride
  }
  if (first < 0 || last >= length) outOfBounds(argument, first, last, length)
  view.offset = offset
  view.low = base + first * bytes
  view.high = base + (last + 1) * bytes
}

function outOfBounds(argument: Argument, first: number, last: number, length: number): never {
  refuse(
    argument,
    'ERR_FOVEA_BOUNDS',
    `lie inside its data of ${length} elements`,
    words(
      first === last ? `element ${format(first)}` : `elements ${format(first)} to ${format(last)}`,
    ),
  )
}

/** The elements of a view in row-major order. */
export function gather<Data extends NativeArray>(view: View, from: Data, into: Data): void {
  const { rank, shape, strides, size, offset } = view
  if (view.isContiguous()) {
    into.set(from.subarray(offset, offset + size))
    return
  }
  const index = new Array<number>(rank).fill(0)
  let at = offset
  for (let i = 0; i < size; i++) {
    into[i] = from[at]!
    for (let axis = rank - 1; axis >= 0; axis--) {
      at += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      at -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
}
