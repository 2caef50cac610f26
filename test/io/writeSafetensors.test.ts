import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { FoveaError } from '../../lib/core/errors.ts'
import type { TensorLike } from '../../lib/core/tensors/tensor.ts'
import { readSafetensors } from '../../lib/io/readSafetensors.ts'
import { writeSafetensors } from '../../lib/io/writeSafetensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-write-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'out.safetensors')

/** What comes back of tensors that were written. */
function rewritten(tensors: Record<string, TensorLike>) {
  writeSafetensors(path, tensors)
  return readSafetensors(path).tensors
}

describe('what is written is read', () => {
  test.each([
    ['float32', Float32Array.of(1.5, Number.NaN, -0, Number.POSITIVE_INFINITY)],
    ['float16', Uint16Array.of(0x3c00, 1)],
    ['bfloat16', Uint16Array.of(0x3f80, 1)],
    ['float64', Float64Array.of(Math.PI)],
    ['int64', BigInt64Array.of(-(2n ** 63n), 1n)],
    ['int32', Int32Array.of(-1)],
    ['int16', Int16Array.of(-1)],
    ['int8', Int8Array.of(-1)],
    ['uint64', BigUint64Array.of(2n ** 64n - 1n)],
    ['uint32', Uint32Array.of(2 ** 32 - 1)],
    ['uint16', Uint16Array.of(65535)],
    ['uint8', Uint8Array.of(255)],
    ['bool', Uint8Array.of(1, 0)],
    ['float8_e4m3', Uint8Array.of(0x7f)],
    ['float8_e5m2', Uint8Array.of(0x7f)],
    ['complex64', BigUint64Array.of(7n)],
  ])('%s', (dtype, data) => {
    const x = { data, shape: [data.length], strides: [1], offset: 0, dtype }
    expect(rewritten({ x })).toStrictEqual({ x })
  })

  test('packed elements', () => {
    const x = {
      data: Uint8Array.of(1, 2, 3),
      shape: [2, 3],
      strides: [3, 1],
      offset: 0,
      dtype: 'float4',
    }
    expect(rewritten({ x })).toStrictEqual({ x })
  })

  test('a typed array tells the type where it can', () => {
    const arrays = [Float32Array, Float64Array, BigInt64Array, Uint16Array, Uint8Array, Int8Array]
    const dtypes = arrays.map(
      array => rewritten({ x: { data: new array(1), shape: [1] } }).x!.dtype,
    )
    expect(dtypes).toEqual(['float32', 'float64', 'int64', 'uint16', 'uint8', 'int8'])
    expect(rewritten({ x: { data: new Uint8ClampedArray(1), dims: [] } }).x!.dtype).toBe('uint8')
    const fromOnnx = { data: new Uint16Array(1), dims: [1], type: 'float16' }
    expect(rewritten({ x: fromOnnx }).x!.dtype).toBe('float16')
    const { Float16Array } = globalThis as { Float16Array?: new (length: number) => object }
    if (Float16Array !== undefined) {
      expect(rewritten({ x: { data: new Float16Array(1), shape: [1] } }).x!.dtype).toBe('float16')
    }
  })

  test('views in any layout, from whatever looks like a tensor', () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => i)
    const views: [TensorLike, number[]][] = [
      [{ data, shape: [3, 2], strides: [1, 3] }, [0, 3, 1, 4, 2, 5]],
      [{ data, shape: [3], strides: [-2], offset: 5 }, [5, 3, 1]],
      [{ data, shape: [2, 2], strides: [0, 1], offset: 4 }, [4, 5, 4, 5]],
      [{ data, shape: [2, 2], stride: [6, 1] }, [0, 1, 6, 7]],
      [{ data, dims: [2, 3], stride: () => [1], offset: 2 }, [2, 3, 4, 5, 6, 7]],
      [{ data, shape: [], offset: 11 }, [11]],
      [{ data, shape: [4, 0, 3] }, []],
      [{ data: data.subarray(2, 5), shape: [3] }, [2, 3, 4]],
    ]
    for (const [view, want] of views) expect([...rewritten({ view }).view!.data]).toEqual(want)
    const shared = new Float32Array(new SharedArrayBuffer(8)).fill(3)
    expect([...rewritten({ shared: { data: shared, shape: [2] } }).shared!.data]).toEqual([3, 3])
  })

  test('more than one piece of a strided view', () => {
    const rows = 700
    const data = Float32Array.from({ length: rows * rows }, (_, i) => i)
    const { x } = rewritten({ x: { data, shape: [rows, rows], strides: [1, rows] } })
    const wrong = x!.data.findIndex((got, i) => got !== (i % rows) * rows + Math.floor(i / rows))
    expect(wrong).toBe(-1)
  })

  test('the bits of a NaN survive a strided view', () => {
    const bits = Uint32Array.of(0x7f800001, 0, 0xffc12345, 0)
    const view = { data: new Float32Array(bits.buffer), shape: [2], strides: [2] }
    const { data } = rewritten({ view }).view!
    expect([...new Uint32Array(data.buffer)]).toEqual([0x7f800001, 0xffc12345])
  })

  test('names, order and metadata', () => {
    const one = { data: Uint8Array.of(1), shape: [1] }
    const wide = { data: Float64Array.of(2), shape: [1] }
    const tensors = Object.fromEntries([
      ['b', one],
      ['', wide],
      ['__proto__', one],
      ['é"\\', wide],
    ])
    const metadata = Object.fromEntries([
      ['__proto__', 'x'],
      ['a', ''],
    ])
    writeSafetensors(pathToFileURL(path), tensors, metadata)
    const read = readSafetensors(path)
    expect(Object.keys(read.tensors)).toEqual(['b', '', '__proto__', 'é"\\'])
    expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata))
    writeSafetensors(path, {})
    expect(readFileSync(path, 'latin1')).toBe('\x08\0\0\0\0\0\0\0{}      ')
  })

  test('every tensor lies aligned', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(Uint8Array, Uint16Array, Float32Array, Float64Array)),
        arrays => {
          const tensors = arrays.map((array, i) => [`t${i}`, { data: new array(3), shape: [3] }])
          writeSafetensors(path, Object.fromEntries(tensors))
          const bytes = readFileSync(path)
          const memory = new Uint8Array(bytes)
          for (const { data } of Object.values(readSafetensors(memory).tensors)) {
            expect(data.buffer).toBe(memory.buffer)
          }
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('the file', () => {
  const tensors = { x: { data: new Float32Array(2), shape: [2] } }

  test('is replaced whole, or left as it was', () => {
    writeSafetensors(path, tensors)
    const before = readFileSync(path)
    const bad = { ...tensors, y: { data: new Float32Array(2), shape: [3] } }
    expect(() => writeSafetensors(path, bad)).toThrow(RangeError)
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(folder)).toEqual(['out.safetensors'])
  })

  test('may be reached by a link', () => {
    const link = join(folder, 'link')
    symlinkSync(path, link)
    writeSafetensors(link, { y: { data: new Uint8Array(1), shape: [1] } })
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(Object.keys(readSafetensors(path).tensors)).toEqual(['y'])
    rmSync(link)
  })

  test('may be a device', () => {
    writeSafetensors('/dev/null', tensors)
    expect(lstatSync('/dev/null').isFile()).toBe(false)
  })

  test('may read the tensors it replaces', () => {
    writeFileSync(
      path,
      readFileSync(join(import.meta.dirname, '../golden/softmax/softmax-00.safetensors')),
    )
    const before = readSafetensors(path)
    writeSafetensors(path, before.tensors, before.metadata)
    expect(readSafetensors(path)).toStrictEqual(before)
  })

  test.each([join(folder, 'no', 'such', 'folder'), folder, 'a\0b'])('cannot be at %j', where => {
    try {
      writeSafetensors(where, tensors)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(FoveaError)
      expect(error).toMatchObject({ code: 'ERR_FOVEA_FILE', argument: 'path' })
    }
    expect(existsSync(join(folder, 'no'))).toBe(false)
  })
})

describe('what cannot be written', () => {
  const data = new Float32Array(6)
  const cases: [string, unknown, string, string][] = [
    ['no tensor', 5, 'TypeError', 'ERR_FOVEA_TYPE'],
    ['null', null, 'TypeError', 'ERR_FOVEA_TYPE'],
    ['an array', [1, 2], 'TypeError', 'ERR_FOVEA_TYPE'],
    ['no data', { shape: [1] }, 'TypeError', 'ERR_FOVEA_TYPE'],
    ['a plain array of data', { data: [1], shape: [1] }, 'TypeError', 'ERR_FOVEA_TYPE'],
    [
      'a DataView',
      { data: new DataView(new ArrayBuffer(4)), shape: [1] },
      'TypeError',
      'ERR_FOVEA_TYPE',
    ],
    ['no shape', { data }, 'TypeError', 'ERR_FOVEA_TYPE'],
    ['half a size', { data, shape: [0.5] }, 'RangeError', 'ERR_FOVEA_SHAPE'],
    ['a negative size', { data, shape: [-1] }, 'RangeError', 'ERR_FOVEA_SHAPE'],
    ['more than its data', { data, shape: [7] }, 'RangeError', 'ERR_FOVEA_BOUNDS'],
    ['a stride past the end', { data, shape: [2], strides: [6] }, 'RangeError', 'ERR_FOVEA_BOUNDS'],
    [
      'a stride before the start',
      { data, shape: [2], strides: [-1] },
      'RangeError',
      'ERR_FOVEA_BOUNDS',
    ],
    ['too few strides', { data, shape: [2, 3], strides: [1] }, 'RangeError', 'ERR_FOVEA_STRIDE'],
    ['half a stride', { data, shape: [2], strides: [0.5] }, 'RangeError', 'ERR_FOVEA_STRIDE'],
    ['half an offset', { data, shape: [2], offset: 0.5 }, 'RangeError', 'ERR_FOVEA_BOUNDS'],
    ['a negative offset', { data, shape: [2], offset: -1 }, 'RangeError', 'ERR_FOVEA_BOUNDS'],
    [
      'sizes beyond counting',
      { data, shape: [1e12, 1e12], strides: [0, 0] },
      'RangeError',
      'ERR_FOVEA_SHAPE',
    ],
    ['an unknown type', { data, shape: [6], dtype: 'float31' }, 'TypeError', 'ERR_FOVEA_TYPE'],
    [
      'a type of another width',
      { data, shape: [6], dtype: 'float64' },
      'TypeError',
      'ERR_FOVEA_TYPE',
    ],
    ['a type of another kind', { data, shape: [6], dtype: 'int32' }, 'TypeError', 'ERR_FOVEA_TYPE'],
    [
      'half a byte',
      { data: new Uint8Array(2), shape: [3], dtype: 'float4' },
      'RangeError',
      'ERR_FOVEA_STRIDE',
    ],
    [
      'strides within bytes',
      { data: new Uint8Array(2), shape: [2, 2], strides: [1, 2], dtype: 'float4' },
      'RangeError',
      'ERR_FOVEA_STRIDE',
    ],
  ]
  test.each(cases)('%s', (_, tensor, name, code) => {
    const error = { name, code, operation: 'writeSafetensors', argument: 'tensors.x' }
    expect(() => writeSafetensors(path, { x: tensor as never })).toThrow(
      expect.objectContaining(error),
    )
  })

  test('detached memory', () => {
    const x = { data: new Float32Array(2), shape: [2] }
    structuredClone(x.data.buffer, { transfer: [x.data.buffer] })
    expect(() => writeSafetensors(path, { x })).toThrow(
      expect.objectContaining({ code: 'ERR_FOVEA_DETACHED', argument: 'tensors.x' }),
    )
  })

  test.each([
    [5, {}, {}, 'ERR_FOVEA_TYPE', 'path'],
    [path, null, {}, 'ERR_FOVEA_TYPE', 'tensors'],
    [path, [], {}, 'ERR_FOVEA_TYPE', 'tensors'],
    [path, {}, null, 'ERR_FOVEA_TYPE', 'metadata'],
    [path, {}, { a: 1 }, 'ERR_FOVEA_TYPE', 'metadata.a'],
    [path, {}, { a: '\ud800' }, 'ERR_FOVEA_OPTION', 'metadata.a'],
    [path, { '\ud800': { data, shape: [6] } }, {}, 'ERR_FOVEA_OPTION', 'tensors'],
    [path, { __metadata__: { data, shape: [6] } }, {}, 'ERR_FOVEA_OPTION', 'tensors'],
  ])('arguments %#', (where, tensors, metadata, code, argument) => {
    expect(() => writeSafetensors(where as never, tensors as never, metadata as never)).toThrow(
      expect.objectContaining({ code, argument }),
    )
  })
})
