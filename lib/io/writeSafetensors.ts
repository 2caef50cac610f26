import { randomBytes } from 'node:crypto'
import {
  closeSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FoveaError, fail, foveaError } from '../core/errors.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'
import { isUnicode, maxHeaderBytes, metadataName } from './header.ts'
import { type StoredTensor, storedTensor } from './storedTensor.ts'

const operation = 'writeSafetensors'

type File = { readonly header: Uint8Array; readonly tensors: readonly StoredTensor[] }

function checkText(text: string, argument: string): void {
  if (!isUnicode(text)) {
    fail(operation, argument, 'ERR_FOVEA_OPTION', 'hold whole characters alone', text)
  }
}

function checkMetadata(metadata: unknown): asserts metadata is Record<string, string> {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    fail(operation, 'metadata', 'ERR_FOVEA_TYPE', 'be an object of strings', metadata)
  }
  for (const [name, text] of Object.entries(metadata)) {
    if (typeof text !== 'string') {
      fail(operation, `metadata.${name}`, 'ERR_FOVEA_TYPE', 'be a string', text)
    }
    checkText(name, 'metadata')
    checkText(text, `metadata.${name}`)
  }
}

function checkTensors(tensors: unknown): asserts tensors is Record<string, unknown> {
  if (typeof tensors !== 'object' || tensors === null || Array.isArray(tensors)) {
    fail(operation, 'tensors', 'ERR_FOVEA_TYPE', 'be an object of tensors', tensors)
  }
}

/** The header in the caller's order; the data by falling width, so that every tensor lies aligned. */
function plan(tensors: unknown, metadata: unknown): File {
  checkTensors(tensors)
  checkMetadata(metadata)
  const stored = Object.entries(tensors).map(([name, tensor]) => {
    checkText(name, 'tensors')
    if (name === metadataName) {
      fail(operation, 'tensors', 'ERR_FOVEA_OPTION', 'leave the name of the metadata alone', name)
    }
    return storedTensor(operation, name, tensor)
  })
  const byWidth = stored.toSorted((a, b) => b.type.bits - a.type.bits)
  const begins = new Map<StoredTensor, number>()
  let end = 0
  for (const tensor of byWidth) {
    begins.set(tensor, end)
    end += tensor.byteLength
  }
  const entries: [string, unknown][] = stored.map(tensor => {
    const begin = begins.get(tensor) as number
    const { name, type, shape, byteLength } = tensor
    return [name, { dtype: type.tag, shape, data_offsets: [begin, begin + byteLength] }]
  })
  if (Object.keys(metadata).length > 0) entries.unshift([metadataName, metadata])
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const header = Buffer.alloc(8 + Math.ceil(json.byteLength / 8) * 8, ' ')
  if (header.byteLength - 8 > maxHeaderBytes) {
    const rule = `have names and metadata of at most ${maxHeaderBytes} bytes`
    fail(operation, 'tensors', 'ERR_FOVEA_FILE', rule, json.byteLength)
  }
  header.writeBigUInt64LE(BigInt(header.byteLength - 8))
  json.copy(header, 8)
  return { header, tensors: byWidth }
}

/** Linux writes at most this much at once, and Node refuses 2 GiB. */
const maxWrite = 1 << 30

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength; ) {
    done += writeSync(fd, bytes, done, Math.min(bytes.byteLength - done, maxWrite))
  }
}

function writeFile(path: string, flags: string, mode: number, { header, tensors }: File): void {
  const fd = openSync(path, flags, mode)
  try {
    writeAll(fd, header)
    for (const tensor of tensors) {
      for (const bytes of tensor.pieces()) writeAll(fd, bytes)
    }
  } finally {
    closeSync(fd)
  }
}

/** Beside the file and then in its place: a reader sees the old file or the new one, whole. */
function replaceFile(path: string, file: File): void {
  const old = statSync(path, { throwIfNoEntry: false })
  if (old !== undefined && !old.isFile()) {
    writeFile(path, 'w', 0o666, file) // a pipe or a device has no place to take
    return
  }
  const target = old === undefined ? path : realpathSync(path)
  const beside = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFile(beside, 'wx', old?.mode ?? 0o666, file)
    renameSync(beside, target)
  } catch (error) {
    try {
      unlinkSync(beside)
    } catch {} // it was never there
    throw error
  }
}

/**
 * Writes a safetensors file. Tensors may be views in any layout, of every type of the format; what a
 * typed array does not tell (float16, bfloat16, bool, float8) its `dtype` does. The file appears under
 * its name when it is whole, and a failure leaves an earlier one as it was.
 *
 * @param path A path or a `file:` URL.
 * @param tensors By name, in the order of the file's header.
 * @param metadata Strings by name.
 * @throws TypeError or RangeError where a tensor or a name cannot be written; FoveaError
 *   `ERR_FOVEA_FILE` where the file system refuses.
 * @example
 * ```ts
 * import { tensor, writeSafetensors } from 'fovea'
 * writeSafetensors('out.safetensors', { out: tensor(new Float32Array(6), [2, 3]) }, { made: 'today' })
 * ```
 */
export function writeSafetensors(
  path: string | URL,
  tensors: Readonly<Record<string, TensorLike>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  if (typeof path !== 'string' && !(path instanceof URL)) {
    fail(operation, 'path', 'ERR_FOVEA_TYPE', 'be a path', path)
  }
  const file = plan(tensors, metadata)
  try {
    replaceFile(typeof path === 'string' ? path : fileURLToPath(path), file)
  } catch (error) {
    if (error instanceof FoveaError) throw error
    const { message } = error as NodeJS.ErrnoException
    const received = `${JSON.stringify(String(path))}: ${message.replace(/,.*$/s, '')}`
    throw foveaError(
      operation,
      'path',
      'ERR_FOVEA_FILE',
      'name a file that can be written',
      received,
      error,
    )
  }
}
