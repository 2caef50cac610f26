import { fail, formatList, words } from '../core/errors.ts'
import { arrayKind, bufferOf, byteOffsetOf, lengthOf } from '../core/memory.ts'
import { type Argument, type Given, readLayout, View } from '../core/tensors/view.ts'
import { type FileType, fileTypeByDtype } from './dtypes.ts'

/** A checked tensor on its way to a file. */
export interface StoredTensor {
  readonly name: string
  readonly type: FileType
  readonly shape: readonly number[]
  readonly byteLength: number
  /** Its elements in row-major order. A piece is valid until the next one is asked for. */
  pieces(): Iterable<Uint8Array>
}

/** What a typed array holds where no dtype says otherwise. */
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
type WordsConstructor = {
  readonly BYTES_PER_ELEMENT: number
  new (length: number): Words
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Words
}

/** Elements are moved as plain words of their width: a float moved as a float may lose NaN bits. */
const wordsByBits: Readonly<Record<number, WordsConstructor>> = {
  8: Uint8Array,
  16: Uint16Array,
  32: Uint32Array,
  64: BigUint64Array,
}

function asBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function refuse({ operation, prefix, name }: Argument, rule: string, received: unknown): never {
  return fail(operation, prefix + name, 'ERR_FOVEA_TYPE', rule, received)
}

function typeOf(argument: Argument, kind: string | undefined, given: Given): FileType {
  const implied = dtypeByArray[kind ?? '']
  if (implied === undefined) return refuse(argument, 'have a typed array as its data', given.data)
  // An onnxruntime Tensor says in `type` what its Uint16Array holds.
  const dtype = given.dtype ?? (kind === 'Uint16Array' ? given.type : undefined) ?? implied
  const type = typeof dtype === 'string' ? fileTypeByDtype.get(dtype) : undefined
  if (type === undefined) return refuse(argument, 'have a dtype of the file format', dtype)
  if (implied !== type.dtype && type.array !== fileTypeByDtype.get(implied)!.array) {
    const rule = `have a ${type.array.name}, for its dtype is ${type.dtype}`
    return refuse(argument, rule, words(`a ${kind}`))
  }
  return type
}

/** How many elements are gathered before they are written. */
const gathered = 1 << 16

/** The elements of a strided view, a piece at a time: no copy of the whole is made. */
function* gather(view: View, from: Words, into: Words): Generator<Uint8Array> {
  const { rank, shape, strides, size } = view
  const index = new Array<number>(rank).fill(0)
  let at = view.offset
  for (let done = 0; done < size; ) {
    const count = Math.min(into.length, size - done)
    for (let i = 0; i < count; i++) {
      into[i] = from[at]!
      for (let axis = rank - 1; axis >= 0; axis--) {
        at += strides[axis]!
        if (++index[axis]! < shape[axis]!) break
        at -= shape[axis]! * strides[axis]!
        index[axis] = 0
      }
    }
    yield asBytes(into.subarray(0, count))
    done += count
  }
}

/** Checks one tensor; each of its properties is read once. */
export function storedTensor(operation: string, name: string, tensor: unknown): StoredTensor {
  const argument: Argument = { operation, prefix: 'tensors.', name }
  if (typeof tensor !== 'object' || tensor === null) refuse(argument, 'be a tensor', tensor)
  const { data, shape, dims, strides, stride, offset, dtype, type: said } = tensor as Given
  const given: Given = { data, shape: shape ?? dims, strides, stride, offset, dtype, type: said }
  const type = typeOf(argument, arrayKind.call(data), given)
  return type.bits < 8 ? packedTensor(argument, type, given) : plainTensor(argument, type, given)
}

function plainTensor(argument: Argument, type: FileType, given: Given): StoredTensor {
  const view = new View()
  const width = type.bits / 8
  readLayout(view, argument, given, given.data, width)
  const array = wordsByBits[type.bits]!
  const from = new array(view.buffer!, byteOffsetOf.call(given.data), lengthOf.call(given.data))
  return {
    name: argument.name,
    type,
    shape: view.sizes(),
    byteLength: view.size * width,
    pieces: () =>
      view.isContiguous()
        ? [asBytes(from.subarray(view.offset, view.offset + view.size))]
        : gather(view, from, new array(Math.min(gathered, view.size))),
  }
}

/** Elements of less than a byte have no addresses, so there is nothing to step over. */
function packedTensor(argument: Argument, type: FileType, given: Given): StoredTensor {
  const { operation, prefix, name } = argument
  const bytes = lengthOf.call(given.data)
  // As if each element had a byte: what is left to check is that they fill the bytes that there are.
  const view = new View()
  const spread = new Uint8Array((bytes * 8) / type.bits)
  readLayout(view, argument, given, spread, 1)
  if (!view.isContiguous() || view.offset !== 0 || view.size * type.bits !== bytes * 8) {
    const rule = `be contiguous and fill its ${bytes} bytes, for its elements are packed into them`
    fail(operation, prefix + name, 'ERR_FOVEA_STRIDE', rule, formatList(view.sizes()))
  }
  const packed = new Uint8Array(bufferOf.call(given.data), byteOffsetOf.call(given.data), bytes)
  return { name, type, shape: view.sizes(), byteLength: bytes, pieces: () => [packed] }
}
