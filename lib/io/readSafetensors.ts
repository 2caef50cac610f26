import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { types } from 'node:util'
import { FoveaError, fail, foveaError, words } from '../core/errors.ts'
import type { Tensor } from '../core/tensors/tensor.ts'
import type { FileArray, FileDtype } from './dtypes.ts'
import { type Entry, headerLength, parseHeader, type Reject } from './header.ts'
import { contiguousStrides } from './strides.ts'

/** A tensor of a file. Every operation takes it whose element type the operation knows. */
export type FileTensor = Tensor<FileArray, FileDtype>

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Record<string, FileTensor>
  readonly metadata: Record<string, string>
}

/** A path, or the bytes of a whole file. */
export type SafetensorsSource = string | URL | ArrayBufferLike | ArrayBufferView

const operation = 'readSafetensors'

/** The tensor whose bytes begin at `byteOffset`; they move only where its array cannot begin there. */
function view({ type, shape, begin, end }: Entry, buffer: ArrayBufferLike, byteOffset: number) {
  const width = type.array.BYTES_PER_ELEMENT
  const length = (end - begin) / width
  const data =
    byteOffset % width === 0
      ? new type.array(buffer, byteOffset, length)
      : new type.array(buffer.slice(byteOffset, byteOffset + end - begin), 0, length)
  return { data, shape, strides: contiguousStrides(shape), offset: 0, dtype: type.dtype }
}

function parseBytes(bytes: Uint8Array, reject: Reject): Safetensors {
  // A copy, which nobody changes between its check and its use.
  const prefix = bytes.slice(0, 8)
  const dataStart = 8 + headerLength(prefix, bytes.byteLength, reject)
  const header = bytes.slice(8, dataStart)
  const { entries, metadata } = parseHeader(header, bytes.byteLength - dataStart, reject)
  const start = bytes.byteOffset + dataStart
  const tensors = entries.map(entry => [entry.name, view(entry, bytes.buffer, start + entry.begin)])
  return { tensors: Object.fromEntries(tensors), metadata }
}

/** Bytes that the reader needs next. */
interface Piece {
  readonly position: number
  readonly into: Uint8Array<ArrayBuffer>
}

/** Uninitialised, since it is filled or dropped, and its own memory, so that it can be transferred. */
function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer)
}

/**
 * Asks for the pieces of a file of `size` bytes: each tensor lands in memory of its own, aligned
 * whatever its place in the file, and files larger than the largest ArrayBuffer can be read.
 */
function* pieces(size: number, reject: Reject): Generator<Piece, Safetensors, void> {
  const prefix = allocate(Math.min(8, size))
  yield { position: 0, into: prefix }
  const header = allocate(headerLength(prefix, size, reject))
  yield { position: 8, into: header }
  const dataStart = 8 + header.byteLength
  const { entries, metadata } = parseHeader(header, size - dataStart, reject)
  const tensors: [string, FileTensor][] = []
  for (const entry of entries) {
    const into = allocate(entry.end - entry.begin)
    if (into.byteLength > 0) yield { position: dataStart + entry.begin, into }
    tensors.push([entry.name, view(entry, into.buffer, 0)])
  }
  return { tensors: Object.fromEntries(tensors), metadata }
}

/** Linux reads at most this much at once, and Node refuses 2 GiB. */
const maxRead = 1 << 30

function rejecting(argument: string, name: string): Reject {
  return (rule, got) => {
    throw foveaError(operation, argument, 'ERR_FOVEA_FILE', rule, `${got}${name}`)
  }
}

function quotePath(path: string | URL): string {
  return JSON.stringify(String(path))
}

/** Rejects in the words of the file system what is not an error of ours yet. */
function asFoveaError(error: unknown, path: string | URL): unknown {
  if (error instanceof FoveaError) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  // What Buffer and ArrayBuffer say of more bytes than they can hold.
  const memory = error instanceof RangeError
  return foveaError(
    operation,
    'path',
    memory ? 'ERR_FOVEA_MEMORY' : 'ERR_FOVEA_FILE',
    memory ? 'name a file whose tensors fit in memory' : 'name a file that can be read',
    `${quotePath(path)}: ${code === '' ? message : message.replace(/,.*$/s, '')}`,
    error,
  )
}

type Source = { readonly bytes: Uint8Array } | { readonly path: string | URL }

function sourceOf(source: SafetensorsSource): Source {
  if (typeof source === 'string' || source instanceof URL) return { path: source }
  const whole = types.isAnyArrayBuffer(source)
  if (!whole && !ArrayBuffer.isView(source)) {
    return fail(operation, 'source', 'ERR_FOVEA_TYPE', 'be a path or the bytes of a file', source)
  }
  try {
    const { buffer, byteOffset, byteLength } = whole ? new Uint8Array(source) : source
    return { bytes: new Uint8Array(buffer, byteOffset, byteLength) }
  } catch {
    const received = words('a detached one')
    return fail(operation, 'bytes', 'ERR_FOVEA_DETACHED', 'lie in a live ArrayBuffer', received)
  }
}

/**
 * Reads a safetensors file: its tensors by name, each a view with the `dtype` that the file gives it,
 * and its metadata. Bytes in memory are viewed where they lie; only a tensor that its array cannot
 * begin at (a header without padding) is copied.
 *
 * Every valid file is read, elements that no operation takes included. What is damaged (holes,
 * overlaps, repeated names, sizes that do not match, a header above 100 MB or past the end) is refused
 * whole.
 *
 * @param source A path, a `file:` URL, or the bytes of a file.
 * @throws FoveaError `ERR_FOVEA_FILE` where the file cannot be read or is not valid, `ERR_FOVEA_MEMORY`
 *   where it does not fit; TypeError `ERR_FOVEA_TYPE` for any other `source`, `ERR_FOVEA_DETACHED` for
 *   bytes that have been transferred away.
 * @example
 * ```ts
 * import { readSafetensors, tensor, writeSafetensors } from 'fovea'
 * writeSafetensors('model.safetensors', { 'norm.weight': tensor(new Float32Array(768), [768]) })
 * const { tensors } = readSafetensors('model.safetensors')
 * console.log(tensors['norm.weight']?.shape) // => [ 768 ]
 * ```
 */
export function readSafetensors(source: SafetensorsSource): Safetensors {
  const from = sourceOf(source)
  if ('bytes' in from) return parseBytes(from.bytes, rejecting('bytes', ''))
  const reject = rejecting('path', ` in ${quotePath(from.path)}`)
  let fd: number | undefined
  try {
    fd = openSync(from.path, 'r')
    const stat = fstatSync(fd)
    if (stat.isFIFO()) return parseBytes(readFileSync(fd), reject)
    if (!stat.isFile()) notAFile(reject)
    const steps = pieces(stat.size, reject)
    let step = steps.next()
    for (; !step.done; step = steps.next()) readPiece(fd, step.value, reject)
    return step.value
  } catch (error) {
    throw asFoveaError(error, from.path)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function readPiece(fd: number, { position, into }: Piece, reject: Reject): void {
  for (let done = 0; done < into.byteLength; ) {
    const length = Math.min(into.byteLength - done, maxRead)
    const count = readSync(fd, into, done, length, position + done)
    if (count === 0) endedEarly(reject)
    done += count
  }
}

function notAFile(reject: Reject): never {
  return reject('name a file', 'something else')
}

function endedEarly(reject: Reject): never {
  return reject('keep its size while it is read', 'an early end')
}

/** {@link readSafetensors} as a promise, reading off the event loop: the one of `fovea/promises`. */
export async function readSafetensorsAsync(source: SafetensorsSource): Promise<Safetensors> {
  const from = sourceOf(source)
  if ('bytes' in from) return parseBytes(from.bytes, rejecting('bytes', ''))
  const reject = rejecting('path', ` in ${quotePath(from.path)}`)
  let file: FileHandle | undefined
  try {
    file = await open(from.path, 'r')
    const stat = await file.stat()
    if (stat.isFIFO()) return parseBytes(await file.readFile(), reject)
    if (!stat.isFile()) notAFile(reject)
    const steps = pieces(stat.size, reject)
    let step = steps.next()
    for (; !step.done; step = steps.next()) await readPieceAsync(file, step.value, reject)
    return step.value
  } catch (error) {
    throw asFoveaError(error, from.path)
  } finally {
    await file?.close()
  }
}

async function readPieceAsync(
  file: FileHandle,
  { position, into }: Piece,
  reject: Reject,
): Promise<void> {
  for (let done = 0; done < into.byteLength; ) {
    const length = Math.min(into.byteLength - done, maxRead)
    const { bytesRead } = await file.read(into, done, length, position + done)
    if (bytesRead === 0) endedEarly(reject)
    done += bytesRead
  }
}
