import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { FoveaError } from '../../lib/core/errors.ts'
import {
  readSafetensors,
  readSafetensorsAsync,
  type Safetensors,
} from '../../lib/io/readSafetensors.ts'
import { entry, fileOf } from './build.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-read-'))
afterAll(() => rmSync(folder, { recursive: true }))

function onDisk(bytes: Uint8Array): string {
  const path = join(folder, 'case.safetensors')
  writeFileSync(path, bytes)
  return path
}

/** Reads bytes in each way there is and demands the same of all. */
async function readEveryWay(bytes: Uint8Array): Promise<Safetensors> {
  const path = onDisk(bytes)
  const shifted = new Uint8Array(bytes.length + 1).subarray(1)
  shifted.set(bytes)
  const first = readSafetensors(bytes)
  for (const other of [
    readSafetensors(path),
    readSafetensors(pathToFileURL(path)),
    readSafetensors(shifted),
    await readSafetensorsAsync(bytes),
    await readSafetensorsAsync(path),
  ]) {
    // Entries, because a comparison of objects stumbles over an own `__proto__`.
    expect(Object.entries(other.tensors)).toStrictEqual(Object.entries(first.tensors))
    expect(Object.entries(other.metadata)).toStrictEqual(Object.entries(first.metadata))
  }
  return first
}

/** The message with which every way of reading refuses the bytes. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const path = onDisk(bytes)
  const errors = [
    () => readSafetensors(bytes),
    () => readSafetensors(path),
    () => readSafetensorsAsync(path),
  ].map(async read => {
    try {
      await read()
    } catch (error) {
      return error
    }
    throw new Error('it was read')
  })
  const [first, ...others] = (await Promise.all(errors)) as FoveaError[]
  for (const error of [first!, ...others]) {
    expect(error).toBeInstanceOf(FoveaError)
    expect(error.code).toBe('ERR_FOVEA_FILE')
    expect(error.operation).toBe('readSafetensors')
    expect(error.expected).toBe(first!.expected)
  }
  return first!.message
}

describe('valid files', () => {
  test.each([
    ['F32', 'float32', Float32Array, 4],
    ['F16', 'float16', Uint16Array, 2],
    ['BF16', 'bfloat16', Uint16Array, 2],
    ['F64', 'float64', Float64Array, 8],
    ['I64', 'int64', BigInt64Array, 8],
    ['I32', 'int32', Int32Array, 4],
    ['I16', 'int16', Int16Array, 2],
    ['I8', 'int8', Int8Array, 1],
    ['U64', 'uint64', BigUint64Array, 8],
    ['U32', 'uint32', Uint32Array, 4],
    ['U16', 'uint16', Uint16Array, 2],
    ['U8', 'uint8', Uint8Array, 1],
    ['BOOL', 'bool', Uint8Array, 1],
    ['F8_E4M3', 'float8_e4m3', Uint8Array, 1],
    ['F8_E5M2', 'float8_e5m2', Uint8Array, 1],
    ['F8_E8M0', 'float8_e8m0', Uint8Array, 1],
    ['C64', 'complex64', BigUint64Array, 8],
  ])('%s is a view with dtype %s', async (tag, dtype, array, width) => {
    const data = Uint8Array.from({ length: 6 * width }, (_, i) => (i * 37) % 251)
    const { tensors } = await readEveryWay(fileOf({ x: entry(tag, [2, 3], 0, 6 * width) }, data))
    const { x } = tensors
    expect(x).toMatchObject({ shape: [2, 3], strides: [3, 1], offset: 0, dtype })
    expect(x!.data).toBeInstanceOf(array)
    const { buffer, byteOffset, byteLength } = x!.data
    expect(new Uint8Array(buffer, byteOffset, byteLength)).toEqual(data)
  })

  test('elements narrower than a byte stay packed', async () => {
    const header = { a: entry('F4', [3, 2], 0, 3), b: entry('F6_E2M3', [4], 3, 6) }
    const { tensors } = await readEveryWay(fileOf(header, Uint8Array.of(1, 2, 3, 4, 5, 6)))
    expect(tensors.a).toMatchObject({
      dtype: 'float4',
      shape: [3, 2],
      data: Uint8Array.of(1, 2, 3),
    })
    expect(tensors.b).toMatchObject({ dtype: 'float6_e2m3', data: Uint8Array.of(4, 5, 6) })
  })

  test('rank 0, empty tensors, any order, a header without padding', async () => {
    const header = {
      last: entry('U8', [1], 12, 13),
      nothing: entry('F32', [2, 0, 3], 12, 12),
      huge: entry('F32', [0, 2 ** 40, 2 ** 40], 0, 0),
      scalar: entry('F32', [], 8, 12),
      first: entry('I64', [1], 0, 8),
    }
    const data = new Uint8Array(13)
    new DataView(data.buffer).setBigInt64(0, -5n, true)
    new DataView(data.buffer).setFloat32(8, 2.5, true)
    data[12] = 7
    for (const padding of ['', ' ', '  \n']) {
      const { tensors } = await readEveryWay(fileOf(header, data, padding))
      expect(Object.keys(tensors)).toEqual(['last', 'nothing', 'huge', 'scalar', 'first'])
      expect(tensors.scalar).toMatchObject({ shape: [], strides: [] })
      expect(tensors.scalar!.data[0]).toBe(2.5)
      expect(tensors.first!.data[0]).toBe(-5n)
      expect(tensors.last!.data[0]).toBe(7)
      expect(tensors.nothing!.data).toHaveLength(0)
      expect(tensors.huge!.strides.every(Number.isSafeInteger)).toBe(true)
    }
  })

  test('names that objects already have are names like others', async () => {
    const names = ['__proto__', 'constructor', 'toString', '', 'é\u{1f600}', 'a"b\\', '0']
    const header = names.map(
      (name, i) => `${JSON.stringify(name)}:${JSON.stringify(entry('U8', [1], i, i + 1))}`,
    )
    const metadata = '"__metadata__":{"__proto__":"own"}'
    const bytes = fileOf(`{${[metadata, ...header].join(',')}}`, Uint8Array.from(names.keys()))
    const read = await readEveryWay(bytes)
    expect(new Set(Object.keys(read.tensors))).toEqual(new Set(names))
    names.forEach((name, i) => {
      expect(Object.getOwnPropertyDescriptor(read.tensors, name)?.value.data[0]).toBe(i)
    })
    expect(Object.entries(read.metadata)).toEqual([['__proto__', 'own']])
    expect(Object.getPrototypeOf(read.tensors)).toBe(Object.prototype)
  })

  test('no tensors, metadata, unknown fields of an entry', async () => {
    expect(await readEveryWay(fileOf({}))).toStrictEqual({ tensors: {}, metadata: {} })
    expect(await readEveryWay(fileOf('{"__metadata__":null}'))).toStrictEqual({
      tensors: {},
      metadata: {},
    })
    const more = { __metadata__: { a: '1', b: '' }, x: { ...entry('U8', [1], 0, 1), more: [{}] } }
    expect((await readEveryWay(fileOf(more, 1))).metadata).toStrictEqual({ a: '1', b: '' })
  })

  test('bytes are viewed where they lie, shared memory too', () => {
    const header = { x: entry('U16', [2], 0, 4), y: entry('F64', [0], 4, 4) }
    for (const padding of [' ', '  ']) {
      const file = fileOf(header, 4, padding)
      const shared = new SharedArrayBuffer(file.length)
      new Uint8Array(shared).set(file)
      for (const memory of [file.buffer, shared]) {
        const { x } = readSafetensors(memory).tensors
        expect(x!.data.buffer === memory).toBe((file.length - 4) % 2 === 0)
        expect(readSafetensors(new DataView(memory)).tensors.x).toStrictEqual(x)
      }
    }
  })
})

describe('damaged files', () => {
  const one = entry('F32', [2], 0, 8)
  const notUtf8 = fileOf('{"xx":0}').map(byte => (byte === 0x78 ? 0xff : byte))
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /hold at least the 8 bytes .*got 0 bytes/],
    ['seven bytes', new Uint8Array(7), /hold at least the 8 bytes/],
    ['an empty header', fileOf(''), /have a header of JSON/],
    ['a header past the end', fileOf({ x: one }, 8).subarray(0, 30), /hold its whole header/],
    [
      'a header above the limit',
      Uint8Array.of(1, 0xe1, 0xf5, 5, 0, 0, 0, 0),
      /at most 100000000 bytes; got a header of 100000001/,
    ],
    [
      'the largest length',
      new Uint8Array(8).fill(255),
      /got a header of 18446744073709551615 bytes/,
    ],
    ['no JSON', fileOf('{"x":}'), /have a header of JSON/],
    ['bytes behind the JSON', fileOf('{}\0'), /have a header of JSON/],
    ['an array', fileOf('[]'), /JSON object; got \[\]/],
    ['null', fileOf('null'), /JSON object/],
    ['a byte order mark', fileOf('\ufeff{}'), /JSON/],
    ['text that is not UTF-8', notUtf8, /UTF-8/],
    ['a number for a tensor', fileOf({ x: 1 }), /describe tensor "x" by an object; got 1/],
    [
      'an unknown type',
      fileOf({ x: entry('F31', [2], 0, 8) }, 8),
      /dtype of the format; got "F31"/,
    ],
    ['a type of objects', fileOf({ x: entry('constructor', [2], 0, 8) }, 8), /dtype/],
    ['no shape', fileOf({ x: { dtype: 'F32', data_offsets: [0, 8] } }, 8), /shape .*got undefined/],
    ['a negative size', fileOf({ x: entry('F32', [-2], 0, 8) }, 8), /shape of whole numbers/],
    ['half a size', fileOf({ x: entry('F32', [0.5], 0, 2) }, 2), /shape of whole numbers/],
    [
      'a size as text',
      fileOf('{"x":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}', 8),
      /shape/,
    ],
    ['sizes that overflow', fileOf({ x: entry('F32', [2 ** 30, 2 ** 30], 0, 8) }, 8), /bytes that/],
    ['sizes to infinity', fileOf({ x: entry('F32', Array(40).fill(1e15), 0, 8) }, 8), /NaN/],
    [
      'an infinite offset',
      fileOf('{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1e999]}}', 1),
      /two offsets/,
    ],
    ['a negative offset', fileOf({ x: entry('F32', [2], -8, 0) }, 8), /two offsets/],
    [
      'null offsets',
      fileOf({ x: { dtype: 'F32', shape: [2], data_offsets: null } }, 8),
      /two offsets/,
    ],
    [
      'one offset',
      fileOf({ x: { dtype: 'F32', shape: [2], data_offsets: [8] } }, 8),
      /two offsets/,
    ],
    ['offsets backwards', fileOf({ x: entry('F32', [2], 8, 0) }, 8), /bytes that it needs/],
    ['too few bytes for a shape', fileOf({ x: entry('F32', [3], 0, 8) }, 8), /\(12\); got 8 bytes/],
    ['half a byte', fileOf({ x: entry('F4', [3], 0, 1) }, 1), /\(1\.5\)/],
    ['data cut off', fileOf({ x: one }, 7), /hold all bytes of tensor "x"; got an end at 8 of 7/],
    ['bytes behind the data', fileOf({ x: one }, 9), /end where its last tensor ends; got 1 bytes/],
    ['a hole', fileOf({ x: one, y: entry('U8', [1], 9, 10) }, 10), /a hole before tensor "y"/],
    ['a hole in front', fileOf({ x: entry('U8', [1], 1, 2) }, 2), /a hole before tensor "x"/],
    [
      'an overlap',
      fileOf({ x: one, y: entry('U8', [2], 7, 9) }, 9),
      /an overlap before tensor "y"/,
    ],
    ['the same bytes twice', fileOf({ x: one, y: one }, 8), /an overlap/],
    [
      'an empty tensor inside another',
      fileOf({ x: one, y: entry('U8', [0], 4, 4) }, 8),
      /an overlap/,
    ],
    ['metadata that is no object', fileOf({ __metadata__: 'x' }), /object of strings; got "x"/],
    [
      'metadata that is no text',
      fileOf({ __metadata__: { a: 1 } }),
      /strings alone, also "a"; got 1/,
    ],
    [
      'half a character',
      fileOf('{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      /whole characters/,
    ],
    ['names twice', fileOf('{"x":{},"x":{}}'), /hold each name once; got "x" twice/],
    ['names twice in two spellings', fileOf('{"x":{},"\\u0078":{}}'), /hold each name once/],
    ['metadata twice', fileOf('{"__metadata__":{"a":"1","a":"2"}}'), /got "a" twice/],
    [
      'fields twice',
      fileOf('{"x":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}'),
      /"dtype" twice/,
    ],
    ['__proto__ twice', fileOf('{"__proto__":{},"__proto__":{}}'), /got "__proto__" twice/],
    ['deep JSON', fileOf('['.repeat(1e6)), /flat JSON/],
    ['deep objects', fileOf('{"a":'.repeat(1e5)), /flat JSON/],
    ['a string without end', fileOf('{"x'), /JSON/],
    ['escapes without end', fileOf(`{"${'\\'.repeat(99_999)}`), /JSON/],
  ]
  test.each(cases)('%s', async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message)
  })

  test('keys that look repeated but are values or of other objects', () => {
    const header =
      '{"__metadata__":{"x":"x","y":"\\"x\\":"},"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"y":["y","y",{"y":1}]},"y":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    expect(Object.keys(readSafetensors(fileOf(header)).tensors)).toEqual(['x', 'y'])
  })

  test('a message names the file', () => {
    const path = onDisk(new Uint8Array(3))
    expect(() => readSafetensors(path)).toThrow(
      `readSafetensors: path must hold at least the 8 bytes of the header length; got 3 bytes in "${path}".`,
    )
  })
})

describe('sources', () => {
  test('what is no file', async () => {
    const nowhere = join(folder, 'nowhere.safetensors')
    for (const path of [nowhere, folder, '/dev/null', '', 'a\0b', new URL('http://x/y')]) {
      const code = { code: 'ERR_FOVEA_FILE', argument: 'path' }
      expect(() => readSafetensors(path)).toThrow(expect.objectContaining(code))
      await expect(readSafetensorsAsync(path)).rejects.toMatchObject(code)
    }
    expect(() => readSafetensors(nowhere)).toThrow(/got ".*nowhere.*": ENOENT: no such file/)
  })

  test('what is no source', async () => {
    for (const source of [undefined, null, 5, {}, [1, 2], Symbol('x')]) {
      const type = { code: 'ERR_FOVEA_TYPE', name: 'TypeError' }
      expect(() => readSafetensors(source as never)).toThrow(expect.objectContaining(type))
      await expect(readSafetensorsAsync(source as never)).rejects.toMatchObject(type)
    }
  })

  test('detached bytes', () => {
    const bytes = fileOf({})
    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] })
    const detached = expect.objectContaining({ code: 'ERR_FOVEA_DETACHED', name: 'TypeError' })
    expect(() => readSafetensors(bytes)).toThrow(detached)
    expect(() => readSafetensors(bytes.buffer)).toThrow(detached)
  })
})

describe('fuzz', () => {
  const golden = join(import.meta.dirname, '../golden')
  const files = readdirSync(golden, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.safetensors'))
    .toSorted()
    .filter((_, i) => i % 29 === 0)
    .map(name => readFileSync(join(golden, name)))
  const headerEnd = (file: Buffer) => 8 + Number(file.readBigUInt64LE())

  /** Reads, or refuses as a damaged file. */
  function readOrRefuse(bytes: Uint8Array): void {
    try {
      for (const { data, shape } of Object.values(readSafetensors(bytes).tensors)) {
        expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_FOVEA_FILE', name: 'FoveaError' })
    }
  }

  test('there are files', () => expect(files.length).toBeGreaterThan(9))

  test('a truncated file is refused, wherever it ends', () => {
    for (const file of files) {
      const ends = new Set([0, 1, 7, 8, 9, file.length - 1])
      for (let end = 0; end < headerEnd(file); end += 13) ends.add(end)
      for (const end of ends) {
        expect(() => readSafetensors(file.subarray(0, end))).toThrow(
          expect.objectContaining({ code: 'ERR_FOVEA_FILE' }),
        )
      }
    }
  })

  test('flipped bits, moved and repeated bytes', () => {
    const damage = fc.record({
      file: fc.integer({ min: 0, max: files.length - 1 }),
      flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), {
        minLength: 1,
        maxLength: 4,
      }),
      cut: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: -4, max: 4 })),
    })
    fc.assert(
      fc.property(damage, ({ file, flips, cut }) => {
        const source = files[file]!
        const header = headerEnd(source)
        const bytes = Buffer.from(source)
        for (const [place, bit] of flips) bytes[Math.floor(place * (header - 1))]! ^= 1 << bit
        readOrRefuse(bytes)
        const at = Math.floor(cut[0] * header)
        readOrRefuse(
          Buffer.concat([source.subarray(0, at), source.subarray(Math.max(0, at + cut[1]))]),
        )
      }),
      { numRuns: 1000 },
    )
  })

  test('any bytes, any header', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), readOrRefuse))
    const field = fc.oneof(
      fc.constantFrom('F32', 'U8', 'F4', 'I64'),
      fc.array(fc.oneof(fc.nat(9), fc.double()), { maxLength: 3 }),
      fc.jsonValue(),
    )
    const tensor = fc.record({ dtype: field, shape: field, data_offsets: field })
    const header = fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(tensor, fc.jsonValue()))
    fc.assert(fc.property(header, fc.nat(40), (value, size) => readOrRefuse(fileOf(value, size))))
  })
})
