// The native functions are the façade's alone, but what they are given decides over memory: they trust
// neither counts nor types nor extents. Every call here fails before an operation sees it.
import { expect, test } from 'vitest'
import { native, opIndex } from '../../lib/core/addon.ts'

const op = opIndex('machinePeak')
// One float32 vector of 8.
const vector = Float64Array.of(0, 0, 1, 0, 1, 1, 0, 8, 1)
const data = new Float32Array(8)
const failure = (code: string): unknown => expect.objectContaining({ code })

type Loose = (...args: unknown[]) => unknown
const functions = native as unknown as Record<string, Loose>
const callers: Record<string, (meta: unknown, ...arrays: unknown[]) => unknown> = {
  run: (meta, ...arrays) => functions.run!(op, meta, ...arrays),
  submit: (meta, ...arrays) => functions.submit!(op, meta, 1, 0, ...arrays),
  flops: (meta, ...arrays) => functions.flops!(op, meta, ...arrays),
  packedFloats: (meta, ...arrays) => functions.packedFloats!(op, meta, ...arrays),
  pack: (meta, ...arrays) => functions.pack!(op, meta, ...arrays, data),
}

test.each(Object.entries(callers))(
  '%s refuses descriptions that are not well formed',
  (_, call) => {
    for (const meta of [
      undefined,
      {},
      [...vector],
      new Float32Array(vector),
      new Float64Array(0),
      new Float64Array(3),
      Float64Array.of(0, 1, 0, 0),
      Float64Array.of(0, 0, 1, 0),
      Float64Array.of(0, 0, 1, 0, 1, 100, 0, 8, 1),
      Float64Array.of(0, 0, 1, 0, 1, -1, 0, 8, 1),
      Float64Array.of(0, 0, 1, 0, 9, 1, 0, 8, 1),
      Float64Array.of(0, -1, 1, 0, 1, 1, 0, 8, 1),
      Float64Array.of(0, Number.NaN, 1, 0, 1, 1, 0, 8, 1),
      Float64Array.of(0, 0, 1e9, 0, 1, 1, 0, 8, 1),
      vector.subarray(0, 8),
      Float64Array.of(0, 0, 0, 1),
    ]) {
      expect(() => call(meta, data)).toThrow(failure('ERR_FOVEA_TYPE'))
    }
  },
)

test.each(Object.entries(callers))('%s refuses arrays that do not fit', (_, call) => {
  expect(() => call(vector, data.subarray(1))).toThrow(failure('ERR_FOVEA_BOUNDS'))
  expect(() => call(vector, new Int32Array(8))).toThrow(failure('ERR_FOVEA_TYPE'))
  expect(() => call(vector, new Float64Array(8))).toThrow(failure('ERR_FOVEA_TYPE'))
  for (const wrong of [null, undefined, {}, [1], 'data', data.buffer, new DataView(data.buffer)]) {
    expect(() => call(vector, wrong)).toThrow(failure('ERR_FOVEA_TYPE'))
  }
  expect(() => call(vector, data, data)).toThrow(failure('ERR_FOVEA_TYPE'))
})

test.each(Object.entries(callers))('%s refuses memory that is gone', (_, call) => {
  const detached = new Float32Array(8)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  expect(() => call(vector, detached)).toThrow(failure('ERR_FOVEA_DETACHED'))

  type Resizable = { resize(bytes: number): void } & ArrayBuffer
  const Growing = ArrayBuffer as unknown as new (
    n: number,
    o: { maxByteLength: number },
  ) => Resizable
  const buffer = new Growing(32, { maxByteLength: 64 })
  if (typeof buffer.resize !== 'function') return
  const shrunk = new Float32Array(buffer)
  const outside = new Float32Array(buffer, 0, 8)
  buffer.resize(16)
  expect(() => call(vector, shrunk)).toThrow(failure('ERR_FOVEA_BOUNDS'))
  expect(() => call(vector, outside)).toThrow(expect.objectContaining({ slot: 0 }))
})

test('pack refuses memory that is too small or of another type', () => {
  expect(() => functions.pack!(op, new Float64Array(4))).toThrow(failure('ERR_FOVEA_TYPE'))
})

test('every function survives any arguments', () => {
  const odd = [
    undefined,
    null,
    0,
    -1,
    0.5,
    1e9,
    Number.NaN,
    2 ** 53,
    'x',
    Symbol('x'),
    {},
    [],
    1n,
    data,
  ]
  for (const name of Object.keys(functions)) {
    if (name === 'setNumThreads' || name === 'configure') continue
    for (const first of odd) {
      for (const second of odd) {
        try {
          functions[name]!(first, second, first, second)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        try {
          functions[name]!()
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }
    }
  }
})

test('pending calls have ids and priorities that order them', () => {
  for (const id of [Number.NaN, 0.5, Number.POSITIVE_INFINITY]) {
    expect(() => native.submit(op, vector, id, 0, data)).toThrow(failure('ERR_FOVEA_TYPE'))
  }
  for (const priority of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => native.submit(op, vector, 1, priority, data)).toThrow(failure('ERR_FOVEA_OPTION'))
  }
  expect(native.cancel(1)).toBe(false)
  expect(native.progress(1)).toBeUndefined()
})
