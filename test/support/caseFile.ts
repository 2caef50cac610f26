// Reads golden case files. Written apart from lib/io on purpose: a fault in the library's reader
// cannot hide itself, and the two are held against each other in test/io.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Tolerance } from './compare.ts'
import type { Dense, Inputs, Numbers } from './tensors.ts'

export interface CaseFile extends Inputs {
  readonly name: string
  readonly op: string
  readonly source: string
  readonly expected: Readonly<Record<string, Dense>>
  /** `aux.*` tensors: they inform, nothing is compared with them. */
  readonly aux: Readonly<Record<string, Dense>>
  readonly tolerance: (output: string) => Tolerance
}

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

const kinds: Readonly<Record<string, new (buffer: ArrayBuffer) => Numbers>> = {
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
}

export const goldenFolder = fileURLToPath(new URL('../golden', import.meta.url))

export const goldenFiles = (op: string): string[] =>
  readdirSync(join(goldenFolder, op))
    .sort()
    .map(file => join(goldenFolder, op, file))

export function readCaseFile(path: string): CaseFile {
  const bytes = readFileSync(path)
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0))
  const { __metadata__: metadata, ...entries } = JSON.parse(
    bytes.toString('utf8', 8, headerEnd),
  ) as { __metadata__: Record<string, string> } & Record<string, Entry>

  const groups: Record<string, Record<string, Dense>> = {
    tensors: {},
    weights: {},
    expected: {},
    aux: {},
  }
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const Kind = kinds[dtype]
    if (Kind === undefined) throw new Error(`${path}: ${name} has the unexpected type ${dtype}`)
    const [start, end] = data_offsets
    const data = new Kind(
      Uint8Array.from(bytes.subarray(headerEnd + start, headerEnd + end)).buffer,
    )
    const dot = name.indexOf('.')
    const prefix = name.slice(0, Math.max(dot, 0))
    const isGroup = prefix === 'weights' || prefix === 'expected' || prefix === 'aux'
    groups[isGroup ? prefix : 'tensors']![isGroup ? name.slice(dot + 1) : name] = { data, shape }
  }

  const { op = '', source = '', params = '{}', rtol, atol, tolerances } = metadata
  const apart =
    tolerances === undefined ? {} : (JSON.parse(tolerances) as Record<string, Tolerance>)
  return {
    name: path.slice(path.lastIndexOf('/') + 1).replace(/\.safetensors$/, ''),
    op,
    source,
    params: JSON.parse(params) as Record<string, unknown>,
    tensors: groups.tensors!,
    weights: groups.weights!,
    expected: groups.expected!,
    aux: groups.aux!,
    tolerance: output => apart[output] ?? { rtol: Number(rtol), atol: Number(atol) },
  }
}
