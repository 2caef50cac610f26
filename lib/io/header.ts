import { type FileType, fileTypeByTag } from './dtypes.ts'

/** The format's own limit on the length of a header. */
export const maxHeaderBytes = 100_000_000

/** The name under which a header keeps the file's metadata, so that no tensor can have it. */
export const metadataName = '__metadata__'

/** The largest nesting that the format's reference parser takes; a header needs three levels. */
const maxDepth = 128

/** Where one tensor lies: `begin` and `end` count from the first byte behind the header. */
export interface Entry {
  readonly name: string
  readonly type: FileType
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface Header {
  /** In the order of the header. */
  readonly entries: readonly Entry[]
  readonly metadata: Record<string, string>
}

/** Ends the reading: `rule` says what the file must do, `got` what it does instead. */
export type Reject = (rule: string, got: string) => never

/** A name or another piece of a file, short enough for a message. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** The length of the header, which the first eight bytes of a file of `size` bytes hold. */
export function headerLength(prefix: Uint8Array, size: number, reject: Reject): number {
  if (size < 8) reject('hold at least the 8 bytes of the header length', `${size} bytes`)
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8)
  const length = view.getBigUint64(0, true)
  if (length > BigInt(maxHeaderBytes)) {
    reject(`have a header of at most ${maxHeaderBytes} bytes`, `a header of ${length} bytes`)
  }
  if (length > BigInt(size - 8)) {
    reject('hold its whole header', `a header of ${length} bytes in a file of ${size} bytes`)
  }
  return Number(length)
}

/**
 * Refuses a name that an object holds twice, of which JSON.parse silently keeps the last, and a
 * nesting that no valid header has. Everything else that may be wrong is left to JSON.parse.
 */
function refuseRepeatedNames(json: string, reject: Reject): void {
  const open: (Set<string> | undefined)[] = [] // the names so far of each open object
  let names: Set<string> | undefined
  let nameNext = false
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case 0x22: {
        const start = at
        do {
          at = json.indexOf('"', at + 1)
          if (at < 0) return
        } while (isEscaped(json, at))
        if (names === undefined || !nameNext) break
        nameNext = false
        const name = unquote(json.slice(start, at + 1))
        if (name === undefined) return
        if (names.has(name)) reject('hold each name once', `${quote(name)} twice`)
        names.add(name)
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        names = json[at] === '{' ? new Set() : undefined
        nameNext = names !== undefined
        if (open.push(names) > maxDepth) {
          reject('have a header of flat JSON', `more than ${maxDepth} levels`)
        }
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        names = open.at(-1)
        break
      case 0x2c: // ,
        nameNext = names !== undefined
        break
    }
  }
}

/** Whether the quotation mark at `at` stands behind an odd number of backslashes. */
function isEscaped(json: string, at: number): boolean {
  let from = at
  while (json[from - 1] === '\\') from--
  return (at - from) % 2 === 1
}

function unquote(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  try {
    return JSON.parse(literal) as string
  } catch {
    return undefined
  }
}

/** Whether `value` is an object in braces. */
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

/** A lone surrogate is no character: written to a file it would turn into another one. */
export function isUnicode(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

/** Elements of a shape; NaN where they are more than can be counted exactly. */
function elementCount(shape: readonly number[]): number {
  if (shape.includes(0)) return 0
  const count = shape.reduce((product, size) => product * size, 1)
  return Number.isSafeInteger(count) ? count : Number.NaN
}

function parseEntry(name: string, info: unknown, reject: Reject): Entry {
  const tensor = `tensor ${quote(name)}`
  if (!isUnicode(name)) reject('have names of whole characters', quote(name))
  if (!isRecord(info)) return reject(`describe ${tensor} by an object`, quote(info))
  const { dtype, shape, data_offsets: offsets } = info
  const type = typeof dtype === 'string' ? fileTypeByTag.get(dtype) : undefined
  if (type === undefined) return reject(`give ${tensor} a dtype of the format`, quote(dtype))
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return reject(`give ${tensor} a shape of whole numbers >= 0`, quote(shape))
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return reject(`give ${tensor} two offsets that are whole numbers >= 0`, quote(offsets))
  }
  const [begin, end] = offsets as [number, number]
  const bytes = (elementCount(shape) * type.bits) / 8
  if (end - begin !== bytes) {
    reject(
      `give ${tensor} of ${type.tag} ${quote(shape)} the bytes that it needs (${bytes})`,
      `${end - begin} bytes at ${quote(offsets)}`,
    )
  }
  return { name, type, shape, begin, end }
}

function parseMetadata(value: unknown, reject: Reject): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) return reject('have metadata that is an object of strings', quote(value))
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      reject(`have metadata of strings alone, also ${quote(name)}`, quote(text))
    }
  }
  return value as Record<string, string>
}

/** The tensors must tile the data exactly: no hole, no overlap, nothing behind the last one. */
function checkTiling(entries: readonly Entry[], dataBytes: number, reject: Reject): void {
  const sorted = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const { name, begin, end } of sorted) {
    if (end > dataBytes) {
      reject(`hold all bytes of tensor ${quote(name)}`, `an end at ${end} of ${dataBytes} bytes`)
    }
    if (begin !== covered) {
      const what = begin > covered ? 'a hole' : 'an overlap'
      reject('have tensors that lie side by side', `${what} before tensor ${quote(name)}`)
    }
    covered = end
  }
  if (covered !== dataBytes) {
    reject('end where its last tensor ends', `${dataBytes - covered} bytes behind it`)
  }
}

/** Reads and checks the header of a file that holds `dataBytes` bytes behind it. */
export function parseHeader(bytes: Uint8Array, dataBytes: number, reject: Reject): Header {
  let json: string
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return reject('have a header of UTF-8 text', 'other bytes')
  }
  refuseRepeatedNames(json, reject)
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    return reject('have a header of JSON', (error as Error).message)
  }
  if (!isRecord(parsed)) return reject('have a header that is a JSON object', quote(parsed))
  const entries: Entry[] = []
  let metadata: Record<string, string> = {}
  for (const [name, info] of Object.entries(parsed)) {
    if (name === metadataName) metadata = parseMetadata(info, reject)
    else entries.push(parseEntry(name, info, reject))
  }
  checkTiling(entries, dataBytes, reject)
  return { entries, metadata }
}
