import { fail, formatList, words } from '../core/errors.ts'
import { type FileType, fileTypeByDtype } from './dtypes.ts'
import { contiguousStrides, isContiguous, type Layout } from './layout.ts'

/** A checked tensor on its way to a file. */
export interface StoredTensor {
  readonly name: string
  readonly type: FileType
  readonly shape: readonly number[]
  readonly byteLength: number
  /** Its elements in row-major order. A piece is valid until the next one is asked for. */
  pieces(): Iterable<Uint8Array>
}

/** What the typed arrays stand for that are not the array of exactly one type. */
const dtypeByArray: Readonly<Record<string, string>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Float16Array: 'float16',
  BigInt64Array: 'int64',
  Int32Array: 'int32',
  Int16Array: 'int16',
  Int8Array: 'int8',
  BigUint64Array: 'uint64',
  Uint32Array: 'uint32',
  Uint16Array: 'uint16',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
}

type Words = Uint8Array | Uint16Array | Uint32Array | BigUint64Array
type Data = ArrayBufferView & { readonly length: number }

/** The elements as plain words of their width: a float that is moved as a float may lose NaN bits. */
function asWords({ buffer, byteOffset, length }: Data, width: number): Words {
  switch (width) {
    case 1:
      return new Uint8Array(buffer, byteOffset, length)
    case 2:
      return new Uint16Array(buffer, byteOffset, length)
    case 4:
      return new Uint32Array(buffer, byteOffset, length)
    default:
      return new BigUint64Array(buffer, byteOffset, length)
  }
}

function asBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** How many elements are gathered before they are written. */
const gathered = 1 << 16

/** The elements of a strided view, gathered a piece at a time: no copy of the whole is made. */
function* gather(from: Words, { shape, strides, offset }: Layout): Generator<Uint8Array> {
  const piece = from.slice(0, 0).constructor as new (length: number) => Words
  const into = new piece(gathered)
  const rank = shape.length
  const index = new Array<number>(rank).fill(0)
  let at = offset
  let count = 0
  for (;;) {
    into[count++] = from[at] as never
    let axis = rank - 1
    for (; axis >= 0; axis--) {
      const size = shape[axis]!
      const stride = strides[axis]!
      at += stride
      index[axis]!++
      if (index[axis]! < size) break
      at -= size * stride
      index[axis] = 0
    }
    if (axis < 0 || count === gathered) {
      yield asBytes(into.subarray(0, count))
      count = 0
    }
    if (axis < 0) return
  }
}

function checkCounts(operation: string, argument: string, what: string, value: unknown): number[] {
  if (!isArray(value))
    fail(operation, argument, 'ERR_FOVEA_TYPE', `have ${what} in an array`, value)
  return Array.from(value, size => {
    if (!Number.isSafeInteger(size)) {
      fail(operation, argument, 'ERR_FOVEA_SHAPE', `have ${what} of whole numbers`, size)
    }
    return size as number
  })
}

function typeOf(operation: string, argument: string, data: Data, dtype: unknown): FileType {
  const array = Object.prototype.toString.call(data).slice(8, -1)
  const implied = dtypeByArray[array]
  const type = fileTypeByDtype.get(String(dtype ?? implied))
  if (implied === undefined || type === undefined) {
    const rule = 'have a typed array and, if any, a dtype of the file format'
    return fail(operation, argument, 'ERR_FOVEA_TYPE', rule, implied === undefined ? data : dtype)
  }
  if (implied !== type.dtype && type.array !== fileTypeByDtype.get(implied)!.array) {
    const rule = `have a ${type.array.name}, for its dtype is ${type.dtype}`
    return fail(operation, argument, 'ERR_FOVEA_TYPE', rule, words(`a ${array}`))
  }
  return type
}

/** Checks one tensor; each of its properties is read once. */
export function storedTensor(operation: string, name: string, tensor: unknown): StoredTensor {
  const argument = `tensors.${name}`
  if (typeof tensor !== 'object' || tensor === null) {
    return fail(operation, argument, 'ERR_FOVEA_TYPE', 'be a tensor', tensor)
  }
  const {
    data,
    shape,
    dims,
    strides,
    stride,
    offset = 0,
    dtype,
  } = tensor as Record<string, unknown>
  if (!ArrayBuffer.isView(data) || data instanceof DataView) {
    return fail(operation, argument, 'ERR_FOVEA_TYPE', 'have a typed array as its data', data)
  }
  const array = data as Data
  const type = typeOf(operation, argument, array, dtype)
  const sizes = checkCounts(operation, argument, 'a shape', shape ?? dims)
  const negative = sizes.find(size => size < 0)
  if (negative !== undefined) {
    fail(operation, argument, 'ERR_FOVEA_SHAPE', 'have sizes >= 0', negative)
  }
  const given = strides ?? (isArray(stride) ? stride : undefined)
  const steps =
    given === undefined
      ? contiguousStrides(sizes)
      : checkCounts(operation, argument, 'strides', given)
  if (steps.length !== sizes.length) {
    fail(operation, argument, 'ERR_FOVEA_STRIDE', 'have a stride for each axis', formatList(steps))
  }
  if (!Number.isSafeInteger(offset)) {
    fail(operation, argument, 'ERR_FOVEA_BOUNDS', 'have an offset that is a whole number', offset)
  }
  const layout = { shape: sizes, strides: steps, offset: offset as number }
  const packed = type.bits < 8
  const count = sizes.reduce((product, size) => product * size, 1)
  const byteLength = (count * type.bits) / 8
  if (!Number.isSafeInteger(count)) {
    fail(
      operation,
      argument,
      'ERR_FOVEA_SHAPE',
      'have a size that can be counted',
      formatList(sizes),
    )
  }
  if (packed) checkPacked(operation, argument, layout, array.length === byteLength)
  else checkExtent(operation, argument, layout, array.length)
  return {
    name,
    type,
    shape: sizes,
    byteLength,
    pieces() {
      if (count === 0) return []
      if (packed) return [asBytes(array)]
      const from = asWords(array, type.bits / 8)
      if (!isContiguous(layout)) return gather(from, layout)
      return [asBytes(from.subarray(layout.offset, layout.offset + count))]
    },
  }
}

/** Elements of less than a byte have no addresses, so there is nothing to step over. */
function checkPacked(operation: string, argument: string, layout: Layout, fits: boolean): void {
  if (fits && layout.offset === 0 && isContiguous(layout)) return
  const rule = 'be contiguous and fill its data, for its elements are packed several to a byte'
  fail(operation, argument, 'ERR_FOVEA_STRIDE', rule, words('another layout'))
}

function checkExtent(
  operation: string,
  argument: string,
  { shape, strides, offset }: Layout,
  length: number,
): void {
  if (shape.includes(0)) return
  let first = offset
  let last = offset
  for (let axis = 0; axis < shape.length; axis++) {
    const reach = (shape[axis]! - 1) * strides[axis]!
    if (reach < 0) first += reach
    else last += reach
  }
  if (first >= 0 && last < length) return
  const received = words(`elements ${first} to ${last} of ${length}`)
  fail(operation, argument, 'ERR_FOVEA_BOUNDS', 'lie within its data', received)
}
