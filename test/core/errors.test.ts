import { describe, expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { FoveaError, fail, foveaError, nearest } from '../../lib/core/errors.ts'
import { prepareWeights } from '../../lib/core/prepareWeights.ts'
import { info, setNumThreads } from '../../lib/core/settings.ts'
import { permute, reshape, slice, tensor } from '../../lib/core/views.ts'
import { attend, conv, dense, route } from './operations.ts'
import { behaviour, crossed, native } from './stubNative.ts'

interface Structured extends Error {
  readonly code: string
  readonly operation: string
  readonly argument: string
  readonly expected: string
  readonly received: string
}

const floats = (...shape: number[]) => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  shape,
})
const ints = (...values: number[]) => ({ data: new Int32Array(values), shape: [values.length] })
const q = floats(2, 4, 3, 16)
const k = floats(2, 2, 5, 16)
const v = floats(2, 2, 5, 8)
const x = floats(2, 3)
const weight = floats(4, 3)

// Calls with arguments that the types refuse.
type Loose = (...args: unknown[]) => unknown
const looseAttend = attend as unknown as Loose
const looseDense = dense as unknown as Loose
const looseConv = conv as unknown as Loose
const looseRoute = route as unknown as Loose
const withQuery = (query: unknown) => () => looseAttend(query, k, v)
const withOptions = (options: unknown) => () => looseAttend(q, k, v, options)
const withWeights = (weights: unknown, options?: unknown) => () => looseDense(x, weights, options)

const map = floats(1, 6, 8, 9)
const kernel = floats(4, 2, 3, 3)
const withParams = (params: object) => () => looseConv(map, { weight: kernel }, params)

function detached(): Float32Array {
  const data = new Float32Array(384)
  structuredClone(data.buffer, { transfer: [data.buffer] })
  return data
}
function resizable(Kind: typeof ArrayBuffer | typeof SharedArrayBuffer): Float32Array {
  const Flexible = Kind as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer
  return new Float32Array(new Flexible(1536, { maxByteLength: 4096 }))
}
function wasm(shared: boolean): Float32Array {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (o: object) => { buffer: ArrayBuffer } }
  }
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared })
  return new Float32Array(memory.buffer, 4096, 384)
}

function errorOf(run: () => unknown): Structured {
  const before = crossed.length
  try {
    run()
  } catch (error) {
    expect(crossed.length, 'nothing crossed the bridge').toBe(before)
    return error as Structured
  }
  return expect.fail('nothing was thrown')
}

const typeErrors = /_(TYPE|UNKNOWN_OPTION|WEIGHT_MISSING|WEIGHT_UNKNOWN|DETACHED|RESIZABLE)$/
const rangeErrors = /_(RANK|SHAPE|STRIDE|BOUNDS|OPTION|ALIGN|OUTPUT|OVERLAP|WEIGHT_SHAPE)$/

/** Runs a table of wrong calls, checks what all errors have in common and returns the messages. */
function messages(table: Record<string, () => unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).map(([name, run]) => {
      const error = errorOf(run)
      const { code, operation, argument, expected, received, message } = error
      const Kind = typeErrors.test(code)
        ? TypeError
        : rangeErrors.test(code)
          ? RangeError
          : FoveaError
      expect(error, message).toBeInstanceOf(Kind)
      expect(message).toBe(`${operation}: ${argument} must ${expected}; got ${received}.`)
      return [name, `${code.replace('ERR_FOVEA_', '')} ${message}`]
    }),
  )
}

describe('tensors', () => {
  test('kinds', () => {
    expect(
      messages({
        missing: () => looseAttend(),
        null: withQuery(null),
        number: withQuery(3),
        string: withQuery('tensor'),
        function: withQuery(() => q),
        'no data': withQuery({ shape: [1] }),
        'array data': withQuery({ ...q, data: [1, 2] }),
        'ArrayBuffer data': withQuery({ ...q, data: new ArrayBuffer(16) }),
        'DataView data': withQuery({ ...q, data: new DataView(new ArrayBuffer(16)) }),
        'Float64Array data': withQuery({ ...q, data: new Float64Array(384) }),
        'clamped data': withQuery({ ...q, data: new Uint8ClampedArray(384) }),
        'Proxy data': withQuery({ ...q, data: new Proxy(q.data, {}) }),
        'pretended data': withQuery({ ...q, data: Object.create(Float32Array.prototype) }),
        'Uint16Array without dtype': withQuery({ ...q, data: new Uint16Array(384) }),
        'other dtype': withQuery({ ...q, dtype: 'float16' }),
        'odd dtype': withQuery({ ...q, dtype: 7 }),
        'mask where floats are due': withQuery({ ...q, data: new Uint8Array(384) }),
        'half where float32 is due': withQuery({
          ...q,
          data: new Uint16Array(384),
          dtype: 'bfloat16',
        }),
        'float mask': withOptions({ mask: floats(3, 5) }),
        'float8 mask': withOptions({
          mask: { data: new Uint8Array(15), shape: [3, 5], dtype: 'float8_e4m3' },
        }),
        'float lengths': withOptions({ lengths: floats(2) }),
        'null for an optional tensor': withOptions({ mask: null }),
        'a tensor that must be absent': () =>
          looseRoute(x, x, weight, { shared: true, decay: 0.5 }),
        'too many arguments': () => looseAttend(q, k, v, {}, {}),
      }),
    ).toMatchInlineSnapshot(`
      {
        "ArrayBuffer data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got an object.",
        "DataView data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got an object.",
        "Float64Array data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got a Float64Array.",
        "Proxy data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got an object.",
        "Uint16Array without dtype": "TYPE attend: query must have dtype 'float16' or 'bfloat16' over a Uint16Array; got undefined.",
        "a tensor that must be absent": "TYPE route: key must be null where shared is true; got an object.",
        "array data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got an array.",
        "clamped data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got a Uint8ClampedArray.",
        "float lengths": "TYPE attend: lengths must have int32 elements; got float32.",
        "float mask": "TYPE attend: mask must have uint8 elements; got float32.",
        "float8 mask": "TYPE attend: mask must have dtype 'uint8' or 'bool' over a Uint8Array; got "float8_e4m3".",
        "function": "TYPE attend: query must be a tensor; got a function.",
        "half where float32 is due": "TYPE attend: query must have float32 elements; got bfloat16.",
        "mask where floats are due": "TYPE attend: query must have float32 elements; got uint8.",
        "missing": "TYPE attend: query must be a tensor; got undefined.",
        "no data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got undefined.",
        "null": "TYPE attend: query must be a tensor; got null.",
        "null for an optional tensor": "TYPE attend: mask must be a tensor; got null.",
        "number": "TYPE attend: query must be a tensor; got 3.",
        "odd dtype": "TYPE attend: query must have dtype 'float32' over a Float32Array; got 7.",
        "other dtype": "TYPE attend: query must have dtype 'float32' over a Float32Array; got "float16".",
        "pretended data": "TYPE attend: query must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got an object.",
        "string": "TYPE attend: query must be a tensor; got "tensor".",
        "too many arguments": "TYPE attend: arguments must be at most 4: query, key, value, options; got 5.",
      }
    `)
  })

  test('shapes, strides and bounds', () => {
    const shaped = (shape: unknown) => withQuery({ data: q.data, shape })
    const strided = (strides: unknown, offset?: unknown) =>
      withQuery({ data: q.data, shape: [2, 4, 3, 16], strides, offset })
    // biome-ignore lint/suspicious/noSparseArray: it is what a caller may hand in
    const sparse = [2, , 3, 16]
    expect(
      messages({
        'no shape': shaped(undefined),
        'shape as text': shaped('2,4,3,16'),
        'shape as a typed array': shaped(new Int32Array([2, 4, 3, 16])),
        'size as text': shaped([2, 4, '3', 16]),
        'sparse shape': shaped(sparse),
        'NaN size': shaped([2, 4, Number.NaN, 16]),
        'half a size': shaped([2, 4, 1.5, 16]),
        'negative size': shaped([2, 4, -3, 16]),
        'size of 2^53': shaped([2, 4, 2 ** 53, 16]),
        'more elements than numbers': withQuery({
          data: q.data,
          shape: [2 ** 27, 2 ** 27, 3, 16],
          strides: [0, 0, 16, 1],
        }),
        'rank 3': shaped([2, 4, 3]),
        'rank 33': shaped(new Array(33).fill(1)),
        'strides as text': strided('row-major'),
        'stride as text': strided([192, 48, '16', 1]),
        'too few strides': strided([48, 16, 1]),
        'half a stride': strided([192, 48, 16.5, 1]),
        'infinite stride': strided([192, 48, Number.POSITIVE_INFINITY, 1]),
        'offset as text': strided(undefined, '0'),
        'negative offset': strided(undefined, -1),
        'NaN offset': strided(undefined, Number.NaN),
        'one element too far': strided(undefined, 1),
        'stride too long': strided([193, 48, 16, 1]),
        'stride backwards out of the data': strided([-192, 48, 16, 1], 191),
        'offset behind an empty tensor': withQuery({
          data: q.data,
          shape: [0, 4, 3, 16],
          offset: 385,
        }),
        'D of 0': () => attend(floats(2, 4, 3, 0), floats(2, 2, 5, 0), v),
        'another D': () => attend(q, floats(2, 2, 5, 8), v),
        'another B and Lk': () => attend(q, k, floats(3, 2, 6, 8)),
        'check of its own': () => attend(q, floats(2, 3, 5, 16), floats(2, 3, 5, 8)),
        'mask of rank 3': withOptions({ mask: { data: new Uint8Array(60), shape: [4, 3, 5] } }),
        'mask that does not fit': withOptions({
          mask: { data: new Uint8Array(12), shape: [3, 4] },
        }),
        'bias that does not fit': withOptions({ bias: floats(2, 3, 3, 5) }),
        'rank of a run': () => looseConv(floats(1, 6, 8), { weight: kernel }),
        'a sum': () => looseRoute(x, floats(4, 3), weight, { decay: 1 }),
        'an unsolvable sum': () => looseRoute(floats(0, 3), floats(0, 3), weight, { decay: 1 }),
      }),
    ).toMatchInlineSnapshot(`
      {
        "D of 0": "SHAPE attend: query must have a size D of at least 1; got 0.",
        "NaN offset": "BOUNDS attend: query must have a whole offset of at least 0; got NaN.",
        "NaN size": "SHAPE attend: query must have whole sizes of 0 to 2^53 - 1; got NaN.",
        "a sum": "SHAPE route: key must have shape [2, D=3], N and D as in query; got [4, 3].",
        "an unsolvable sum": "SHAPE route: query must have shape [1+N, D]; got [0, 3].",
        "another B and Lk": "SHAPE attend: value must have shape [B=2, Hkv=2, Lk=5, Dv], B as in query, Hkv and Lk as in key; got [3, 2, 6, 8].",
        "another D": "SHAPE attend: key must have shape [B=2, Hkv=2, Lk=5, D=16], B and D as in query; got [2, 2, 5, 8].",
        "bias that does not fit": "SHAPE attend: bias must have shape [B=2, H=4, Lq=3, Lk=5] or its last two axes, any of them 1; got [2, 3, 3, 5].",
        "check of its own": "SHAPE attend: key must have heads that divide 4; got 3.",
        "half a size": "SHAPE attend: query must have whole sizes of 0 to 2^53 - 1; got 1.5.",
        "half a stride": "STRIDE attend: query must have whole strides; got 16.5.",
        "infinite stride": "STRIDE attend: query must have whole strides; got Infinity.",
        "mask of rank 3": "RANK attend: mask must have shape [B, H, Lq, Lk], or its last two axes, any of them 1; got [4, 3, 5].",
        "mask that does not fit": "SHAPE attend: mask must have shape [B=2, H=4, Lq=3, Lk=5] or its last two axes, any of them 1; got [3, 4].",
        "more elements than numbers": "SHAPE attend: query must have at most 2^53 - 1 elements; got [134217728, 134217728, 3, 16].",
        "negative offset": "BOUNDS attend: query must have a whole offset of at least 0; got -1.",
        "negative size": "SHAPE attend: query must have whole sizes of 0 to 2^53 - 1; got -3.",
        "no shape": "TYPE attend: query must have an array as its shape; got undefined.",
        "offset as text": "TYPE attend: query must have a number as its offset; got "0".",
        "offset behind an empty tensor": "BOUNDS attend: query must lie inside its data of 384 elements; got element 385.",
        "one element too far": "BOUNDS attend: query must lie inside its data of 384 elements; got elements 1 to 384.",
        "rank 3": "RANK attend: query must have shape [B, H, Lq, D]; got [2, 4, 3].",
        "rank 33": "RANK attend: query must have at most 32 axes; got 33.",
        "rank of a run": "RANK conv: x must have shape [B, Cin, *S] of rank 4 to 5; got [1, 6, 8].",
        "shape as a typed array": "TYPE attend: query must have an array as its shape; got an Int32Array.",
        "shape as text": "TYPE attend: query must have an array as its shape; got "2,4,3,16".",
        "size as text": "TYPE attend: query must have numbers as its sizes; got "3".",
        "size of 2^53": "SHAPE attend: query must have whole sizes of 0 to 2^53 - 1; got 9007199254740992.",
        "sparse shape": "TYPE attend: query must have numbers as its sizes; got undefined.",
        "stride as text": "TYPE attend: query must have numbers as its strides; got "16".",
        "stride backwards out of the data": "BOUNDS attend: query must lie inside its data of 384 elements; got elements -1 to 382.",
        "stride too long": "BOUNDS attend: query must lie inside its data of 384 elements; got elements 0 to 384.",
        "strides as text": "TYPE attend: query must have an array as its strides; got "row-major".",
        "too few strides": "STRIDE attend: query must have 4 strides, one an axis; got 3.",
      }
    `)
  })

  test('memory', () => {
    expect(
      messages({
        detached: withQuery({ ...q, data: detached() }),
        resizable: withQuery({ ...q, data: resizable(ArrayBuffer) }),
        growable: withQuery({ ...q, data: resizable(SharedArrayBuffer) }),
        WebAssembly: withQuery({ ...q, data: wasm(false) }),
        'shared WebAssembly': withQuery({ ...q, data: wasm(true) }),
        'an output in resizable memory': withOptions({
          into: { out: { data: resizable(ArrayBuffer), shape: [2, 4, 3, 8] } },
        }),
      }),
    ).toMatchInlineSnapshot(`
      {
        "WebAssembly": "RESIZABLE attend: query must lie in memory of a fixed size and place; got a resizable, growable or WebAssembly buffer.",
        "an output in resizable memory": "RESIZABLE attend: into.out must lie in memory of a fixed size and place; got a resizable, growable or WebAssembly buffer.",
        "detached": "DETACHED attend: query must lie in memory that is there; got a detached buffer.",
        "growable": "RESIZABLE attend: query must lie in memory of a fixed size and place; got a resizable, growable or WebAssembly buffer.",
        "resizable": "RESIZABLE attend: query must lie in memory of a fixed size and place; got a resizable, growable or WebAssembly buffer.",
        "shared WebAssembly": "RESIZABLE attend: query must lie in memory of a fixed size and place; got a resizable, growable or WebAssembly buffer.",
      }
    `)
  })

  test('integer elements, read from the copy', () => {
    expect(
      messages({
        'too large': withOptions({ lengths: ints(5, 6) }),
        negative: withOptions({ lengths: ints(-1, 5) }),
        'another B': withOptions({ lengths: ints(1, 2, 3) }),
      }),
    ).toMatchInlineSnapshot(`
      {
        "another B": "SHAPE attend: lengths must have shape [B=2], B as in query; got [3].",
        "negative": "BOUNDS attend: lengths must hold numbers of 0 to 5 (Lk); got -1 as element 0.",
        "too large": "BOUNDS attend: lengths must hold numbers of 0 to 5 (Lk); got 6 as element 1.",
      }
    `)
  })

  test('tensors that only come together', () => {
    expect(messages({ one: withOptions({ extraKey: floats(2, 4, 16) }) })).toMatchInlineSnapshot(`
      {
        "one": "TYPE attend: extraValue must be given where extraKey is; got undefined.",
      }
    `)
  })

  test('WebAssembly memory is told from ordinary memory of its size', () => {
    const big = { data: new Float32Array(2 ** 14), shape: [2 ** 14] }
    dense(big, { weight: { data: new Float32Array(1), shape: [1, 2 ** 14], strides: [0, 0] } })
  })
})

describe('options', () => {
  test('names', () => {
    expect(
      messages({
        misspelled: withOptions({ casual: true }),
        'other case': withOptions({ SCALE: 1 }),
        unknown: withOptions({ wibble: 1 }),
        'unknown and undefined': withOptions({ wibble: undefined }),
        'a required tensor': withOptions({ key: k }),
        'a promise option': withOptions({ signal: new AbortController().signal }),
        'another promise option': withOptions({ priority: 1 }),
        'not an object': withOptions(3),
        null: withOptions(null),
        'an array': withOptions([]),
        'a tensor': withOptions(q),
        inherited: withOptions(Object.create({ wibble: 1 })),
        'params of prepareWeights': () => prepareWeights('dense', { weight }, { gian: 1 }),
        'a tensor among params': () => prepareWeights('dense', { weight }, { x }),
      }),
    ).toMatchInlineSnapshot(`
      {
        "a promise option": "UNKNOWN_OPTION attend: signal must be given to the operation of fovea/promises, for it has no use in a synchronous call; got an object.",
        "a required tensor": "UNKNOWN_OPTION attend: key must be given as an argument of its own; got the option key.",
        "a tensor": "UNKNOWN_OPTION attend: data must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option data.",
        "a tensor among params": "UNKNOWN_OPTION dense: x must be a parameter, of gain; got the parameter x.",
        "an array": "TYPE attend: options must be an object; got an array.",
        "another promise option": "UNKNOWN_OPTION attend: priority must be given to the operation of fovea/promises, for it has no use in a synchronous call; got 1.",
        "inherited": "UNKNOWN_OPTION attend: wibble must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option wibble.",
        "misspelled": "UNKNOWN_OPTION attend: casual must be spelled causal; got the option casual.",
        "not an object": "TYPE attend: options must be an object; got 3.",
        "null": "TYPE attend: options must be an object; got null.",
        "other case": "UNKNOWN_OPTION attend: SCALE must be spelled scale; got the option SCALE.",
        "params of prepareWeights": "UNKNOWN_OPTION dense: gian must be spelled gain; got the parameter gian.",
        "unknown": "UNKNOWN_OPTION attend: wibble must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option wibble.",
        "unknown and undefined": "UNKNOWN_OPTION attend: wibble must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option wibble.",
      }
    `)
  })

  test('values', () => {
    expect(
      messages({
        'number as text': withOptions({ scale: '1' }),
        'number as bigint': withOptions({ scale: 1n }),
        'boxed number': withOptions({ scale: Object(1) }),
        NaN: withOptions({ scale: Number.NaN }),
        Infinity: withOptions({ scale: Number.POSITIVE_INFINITY }),
        'null for a number': withOptions({ scale: null }),
        'number for a boolean': withOptions({ causal: 1 }),
        'half an integer': withOptions({ window: 1.5 }),
        'integer of 2^53': withOptions({ window: 2 ** 53 }),
        'integer below its range': withOptions({ window: -2 }),
        'misspelled choice': withOptions({ align: 'topleft' }),
        'unknown choice': withOptions({ align: 'centre' }),
        'number for a choice': withOptions({ align: 0 }),
        'list element below its range': withParams({ stride: [1, 0] }),
        'list element of the wrong kind': withParams({ stride: [1, '2'] }),
        'sparse list': withParams({ stride: new Array(2) }),
        'list too long': withParams({ stride: [1, 1, 1] }),
        'list as text': withParams({ stride: '11' }),
        'default for more axes than there are numbers': () =>
          attend(
            { data: q.data, shape: [1, 2 ** 31, 0, 16] },
            { data: k.data, shape: [1, 1, 0, 16] },
            { data: k.data, shape: [1, 1, 0, 8] },
            { slopes: 2 },
          ),
        'number for a list that does not spread': withParams({ size: 2 }),
        'empty list': withParams({ pools: [] }),
        'unknown choice in a list': withParams({ pools: ['avg', 'maxx'] }),
        'other than implied': withParams({ groups: 2 }),
        'implied, but not whole': () => looseConv(floats(1, 5, 8, 9), { weight: kernel }),
        'above its bound': withParams({ mode: 'norm', eps: 0 }),
        'required and missing': () => looseRoute(x, x, weight, {}),
        'unused, but of the wrong kind': withParams({ eps: 'small' }),
      }),
    ).toMatchInlineSnapshot(`
      {
        "Infinity": "OPTION attend: scale must be a finite number; got Infinity.",
        "NaN": "OPTION attend: scale must be a finite number; got NaN.",
        "above its bound": "OPTION conv: eps must be a finite number above 0; got 0.",
        "boxed number": "TYPE attend: scale must be a finite number; got an object.",
        "default for more axes than there are numbers": "OPTION attend: slopes must stand for at most 65536 elements; got 2147483648.",
        "empty list": "OPTION conv: pools must have at least 1 element; got 0.",
        "half an integer": "OPTION attend: window must be a whole number of at least -1; got 1.5.",
        "implied, but not whole": "OPTION conv: groups must be a whole number of at least 1; got 2.5.",
        "integer below its range": "OPTION attend: window must be a whole number of at least -1; got -2.",
        "integer of 2^53": "OPTION attend: window must be a whole number of at least -1; got 9007199254740992.",
        "list as text": "TYPE conv: stride must be a whole number of at least 1; got "11".",
        "list element below its range": "OPTION conv: stride[1] must be a whole number of at least 1; got 0.",
        "list element of the wrong kind": "TYPE conv: stride[1] must be a whole number of at least 1; got "2".",
        "list too long": "OPTION conv: stride must have 2 elements; got 3.",
        "misspelled choice": "OPTION attend: align must be 'topLeft' or 'bottomRight'; got "topleft" ('topLeft' is near).",
        "null for a number": "TYPE attend: scale must be a finite number; got null.",
        "number as bigint": "TYPE attend: scale must be a finite number; got a bigint.",
        "number as text": "TYPE attend: scale must be a finite number; got "1".",
        "number for a boolean": "TYPE attend: causal must be true or false; got 1.",
        "number for a choice": "TYPE attend: align must be 'topLeft' or 'bottomRight'; got 0.",
        "number for a list that does not spread": "TYPE conv: size must be an array, each a whole number of at least 1; got 2.",
        "other than implied": "OPTION conv: groups must be 3, as weights.weight implies; got 2.",
        "required and missing": "OPTION route: decay must be a finite number of 0 to 1; got undefined.",
        "sparse list": "TYPE conv: stride[0] must be a whole number of at least 1; got undefined.",
        "unknown choice": "OPTION attend: align must be 'topLeft' or 'bottomRight'; got "centre".",
        "unknown choice in a list": "OPTION conv: pools[1] must be 'avg' or 'max'; got "maxx" ('max' is near).",
        "unused, but of the wrong kind": "TYPE conv: eps must be a finite number above 0; got "small".",
      }
    `)
  })

  test('reserved ones', () => {
    expect(
      messages({
        'threads 0': withOptions({ threads: 0 }),
        'threads 257': withOptions({ threads: 257 }),
        'threads NaN': withOptions({ threads: Number.NaN }),
        'threads as text': withOptions({ threads: '2' }),
        'outputs as text': withOptions({ outputs: 'lse' }),
        'outputs of numbers': withOptions({ outputs: [1] }),
        'outputs misspelled': withOptions({ outputs: ['lsd'] }),
        'outputs unknown': withOptions({ outputs: ['gradients'] }),
        'an output without meaning': withOptions({
          outputs: ['lse'],
          mask: { data: new Uint8Array(15), shape: [3, 5] },
        }),
        'memory for an output without meaning': withOptions({
          into: { lse: floats(2, 4, 3) },
          mask: { data: new Uint8Array(15), shape: [3, 5] },
        }),
        'into an array': withOptions({ into: [] }),
        'into unknown': withOptions({ into: { wibble: q } }),
        'into not a tensor': withOptions({ into: { out: 3 } }),
        'into other elements': withOptions({
          into: { out: { data: new Int32Array(192), shape: [2, 4, 3, 8] } },
        }),
        'into another rank': withOptions({ into: { out: floats(2, 4, 3, 8, 1) } }),
        'into another shape': withOptions({ into: { out: floats(2, 4, 8, 3) } }),
        'into too short': withOptions({
          into: { out: { data: new Float32Array(191), shape: [2, 4, 3, 8] } },
        }),
        'into one address': withOptions({
          into: { out: { data: new Float32Array(8), shape: [2, 4, 3, 8], strides: [0, 0, 0, 1] } },
        }),
        'into overlapping windows': withOptions({
          into: {
            out: { data: new Float32Array(80), shape: [2, 4, 3, 8], strides: [32, 8, 4, 1] },
          },
        }),
        'into an input': () =>
          attend(q, k, v, { into: { out: { data: q.data, shape: [2, 4, 3, 8] } } }),
        'into lengths': () => {
          const { buffer } = new Float32Array(192)
          const lengths = { data: new Int32Array(buffer, 8, 2), shape: [2] }
          attend(q, k, v, {
            lengths,
            into: { out: { data: new Float32Array(buffer), shape: [2, 4, 3, 8] } },
          })
        },
        'into a weight': () =>
          dense(x, { weight }, { into: { out: { data: weight.data, shape: [2, 4] } } }),
        'two outputs in one memory': () => {
          const data = new Float32Array(200)
          attend(q, k, v, {
            into: {
              out: { data, shape: [2, 4, 3, 8] },
              lse: { data, shape: [2, 4, 3], offset: 170 },
            },
          })
        },
        'an output that no memory holds': () => {
          const one = new Float32Array(1)
          const strides = [0, 0, 0, 0]
          const query = { data: one, shape: [2 ** 16, 2 ** 16, 1, 1], strides }
          const key = { data: one, shape: [2 ** 16, 2 ** 16, 1, 1], strides }
          attend(query, key, { data: one, shape: [2 ** 16, 2 ** 16, 1, 2 ** 10], strides })
        },
      }),
    ).toMatchInlineSnapshot(`
      {
        "an output that no memory holds": "MEMORY attend: out must fit into memory; got 17592186044416 bytes that could not be had.",
        "an output without meaning": "OUTPUT attend: outputs must not ask for lse where mask is given; got "lse".",
        "into a weight": "OVERLAP dense: into.out must share no memory with weights.weight; got memory of both.",
        "into an array": "TYPE attend: into must be an object of tensors by output; got an array.",
        "into an input": "OVERLAP attend: into.out must share no memory with query; got memory of both.",
        "into another rank": "RANK attend: into.out must have shape [2, 4, 3, 8]; got [2, 4, 3, 8, 1].",
        "into another shape": "SHAPE attend: into.out must have shape [2, 4, 3, 8]; got [2, 4, 8, 3].",
        "into lengths": "OVERLAP attend: into.out must share no memory with lengths; got memory of both.",
        "into not a tensor": "TYPE attend: into.out must be a tensor; got 3.",
        "into one address": "OVERLAP attend: into.out must give every element an address of its own; got strides [0, 0, 0, 1].",
        "into other elements": "TYPE attend: into.out must have float32 elements; got int32.",
        "into overlapping windows": "OVERLAP attend: into.out must give every element an address of its own; got strides [32, 8, 4, 1].",
        "into too short": "BOUNDS attend: into.out must lie inside its data of 191 elements; got elements 0 to 191.",
        "into unknown": "OUTPUT attend: into must name outputs, of out, lse, peak; got "wibble".",
        "memory for an output without meaning": "OUTPUT attend: into must not ask for lse where mask is given; got "lse".",
        "outputs as text": "TYPE attend: outputs must be an array of names; got "lse".",
        "outputs misspelled": "OUTPUT attend: outputs must name lse, spelled like this; got "lsd".",
        "outputs of numbers": "TYPE attend: outputs[0] must be the name of an output; got 1.",
        "outputs unknown": "OUTPUT attend: outputs must name outputs, of out, lse, peak; got "gradients".",
        "threads 0": "OPTION attend: threads must be a whole number of 1 to 256; got 0.",
        "threads 257": "OPTION attend: threads must be a whole number of 1 to 256; got 257.",
        "threads NaN": "OPTION attend: threads must be a whole number of 1 to 256; got NaN.",
        "threads as text": "TYPE attend: threads must be a whole number of 1 to 256; got "2".",
        "two outputs in one memory": "OVERLAP attend: into.lse must share no memory with into.out; got memory of both.",
      }
    `)
  })

  test('settings and names of operations', () => {
    expect(
      messages({
        'threads as text': () => setNumThreads('2' as never),
        'no threads': () => setNumThreads(0),
        'unknown operation': () => prepareWeights('danse', { weight }),
        'no operation': () => prepareWeights(7 as never, { weight }),
        'an operation without weights': () => prepareWeights('attend', {}),
      }),
    ).toMatchInlineSnapshot(`
      {
        "an operation without weights": "OPTION prepareWeights: op must name an operation that has weights; got "attend".",
        "no operation": "TYPE prepareWeights: op must be the name of an operation; got 7.",
        "no threads": "OPTION setNumThreads: threads must be a whole number of 1 to 256; got 0.",
        "threads as text": "TYPE setNumThreads: threads must be a whole number of 1 to 256; got "2".",
        "unknown operation": "OPTION prepareWeights: op must name an operation, such as dense; got "danse".",
      }
    `)
  })
})

describe('weights', () => {
  test('names, shapes and kinds', () => {
    const norm = (extra: object) => () =>
      looseConv(map, { weight: kernel, ...extra }, { mode: 'norm' })
    expect(
      messages({
        none: withWeights(undefined),
        null: withWeights(null),
        'an empty record': withWeights({}),
        'a number': withWeights(3),
        'an array': withWeights([weight]),
        'a typed array': withWeights(weight.data),
        'a misspelled name': withWeights({ wieght: weight }),
        'an unknown name': withWeights({ weight, wibble: weight }),
        'an option among the weights': withWeights({ weight, gain: 2 }),
        'options in place of weights': withWeights({ gain: 2 }),
        'a counter where nothing counts': withWeights({ weight, num_batches_tracked: weight }),
        'null for a weight': withWeights({ weight, bias: null }),
        'another shape': withWeights({ weight: floats(4, 2) }),
        'another rank': withWeights({ weight: floats(4, 3, 1, 1) }),
        'a bias that does not fit': withWeights({ weight, bias: floats(3) }),
        'integer elements': withWeights({ weight: { data: new Int32Array(12), shape: [4, 3] } }),
        'float64 elements': withWeights({ weight: { data: new Float64Array(12), shape: [4, 3] } }),
        'too little data': withWeights({ weight: { data: new Float32Array(11), shape: [4, 3] } }),
        'a size of 0': withWeights({ weight: floats(0, 3) }),
        'half of a group': norm({
          'norm.weight': floats(4),
          'norm.running_mean': floats(4),
          'norm.running_var': floats(4),
        }),
        'a missing one of many': norm({ 'norm.running_mean': floats(4) }),
        'an unused one that is no tensor': () =>
          looseConv(map, { weight: kernel, 'norm.weight': 3 }),
        'prepared for another operation': withWeights(
          prepareWeights('conv', { weight: kernel }, { groups: 3 }),
        ),
        'prepared, then prepared again': () =>
          prepareWeights('dense', prepareWeights('dense', { weight })),
      }),
    ).toMatchInlineSnapshot(`
      {
        "a bias that does not fit": "WEIGHT_SHAPE dense: weights.bias must have shape [out=4], out as in weights.weight; got [3].",
        "a counter where nothing counts": "WEIGHT_UNKNOWN dense: weights.num_batches_tracked must be a weight that dense has here (weight, bias); got a weight num_batches_tracked.",
        "a missing one of many": "WEIGHT_MISSING conv: weights.norm.running_var must be given; got undefined.",
        "a misspelled name": "WEIGHT_UNKNOWN dense: weights.wieght must be spelled weight; got a weight wieght.",
        "a number": "TYPE dense: weights must be a record of tensors, or prepared weights; got 3.",
        "a size of 0": "WEIGHT_SHAPE dense: weights.weight must have a size out of at least 1; got 0.",
        "a typed array": "TYPE dense: weights must be a record of tensors, or prepared weights; got a Float32Array.",
        "an array": "TYPE dense: weights must be a record of tensors, or prepared weights; got an array.",
        "an empty record": "WEIGHT_MISSING dense: weights.weight must be given; got undefined.",
        "an option among the weights": "WEIGHT_UNKNOWN dense: weights.gain must be given with the options, which come after the weights; got a weight gain.",
        "an unknown name": "WEIGHT_UNKNOWN dense: weights.wibble must be a weight that dense has here (weight, bias); got a weight wibble.",
        "an unused one that is no tensor": "TYPE conv: weights.norm.weight must be a tensor; got 3.",
        "another rank": "WEIGHT_SHAPE dense: weights.weight must have shape [out, in]; got [4, 3, 1, 1].",
        "another shape": "WEIGHT_SHAPE dense: weights.weight must have shape [out=4, in=3], in as in x; got [4, 2].",
        "float64 elements": "TYPE dense: weights.weight must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got a Float64Array.",
        "half of a group": "WEIGHT_MISSING conv: weights.norm.bias must be given where weights.norm.weight is; got undefined.",
        "integer elements": "TYPE dense: weights.weight must have float32, float16 or bfloat16 elements; got an Int32Array.",
        "none": "WEIGHT_MISSING dense: weights.weight must be given; got undefined.",
        "null": "WEIGHT_MISSING dense: weights.weight must be given; got undefined.",
        "null for a weight": "TYPE dense: weights.bias must be a tensor; got null.",
        "options in place of weights": "WEIGHT_UNKNOWN dense: weights.gain must be given with the options, which come after the weights; got a weight gain.",
        "prepared for another operation": "TYPE dense: weights must be weights prepared for dense; got conv.",
        "prepared, then prepared again": "TYPE dense: weights must be a record of tensors; got an object.",
        "too little data": "BOUNDS dense: weights.weight must lie inside its data of 11 elements; got elements 0 to 11.",
      }
    `)
  })
})

describe('views', () => {
  test('what they refuse', () => {
    const data = new Float32Array(24)
    const t = tensor(data, [2, 3, 4])
    const loose = { tensor, permute, slice, reshape } as unknown as Record<string, Loose>
    expect(
      messages({
        'an array for data': () => loose.tensor!([1, 2], [2]),
        'a Float64Array': () => loose.tensor!(new Float64Array(2), [2]),
        'a Uint16Array without dtype': () => loose.tensor!(new Uint16Array(2), [2]),
        'no shape': () => loose.tensor!(data),
        'too little data': () => tensor(data, [5, 5]),
        'a misspelled option': () => loose.tensor!(data, [24], { stride: [1] }),
        'options that are none': () => loose.tensor!(data, [24], 3),
        'an order too short': () => permute(t, [0, 1]),
        'an axis twice': () => permute(t, [0, 1, 1]),
        'an order of text': () => loose.permute!(t, '012'),
        'no such axis': () => slice(t, 3, 0, 1),
        'a negative start': () => slice(t, 0, -1, 1),
        'an end too far': () => slice(t, 0, 0, 3),
        'a start behind the end': () => slice(t, 0, 2, 1),
        'another count': () => reshape(t, [5, 5]),
        'an inferred size': () => reshape(t, [-1, 4]),
        'a copy': () => reshape(permute(t, [1, 0, 2]), [6, 4]),
        'not a tensor': () => loose.reshape!(3, [1]),
        'no typed array': () => loose.slice!({ data: [1], shape: [1] }, 0, 0, 1),
      }),
    ).toMatchInlineSnapshot(`
      {
        "a Float64Array": "TYPE tensor: tensor must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got a Float64Array.",
        "a Uint16Array without dtype": "TYPE tensor: tensor must have dtype 'float16' or 'bfloat16' over a Uint16Array; got undefined.",
        "a copy": "STRIDE reshape: shape must keep the layout of a tensor of shape [3, 2, 4] and strides [4, 12, 1], for nothing is copied; got [6, 4].",
        "a misspelled option": "UNKNOWN_OPTION tensor: stride must be spelled strides; got the option stride.",
        "a negative start": "BOUNDS slice: start must be a whole number of at least 0; got -1.",
        "a start behind the end": "BOUNDS slice: start must be at most the end 1; got 2.",
        "an array for data": "TYPE tensor: tensor must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got an array.",
        "an axis twice": "RANK permute: order must name each of the 3 axes once; got [0, 1, 1].",
        "an end too far": "BOUNDS slice: end must be at most the size 2 of axis 0; got 3.",
        "an inferred size": "SHAPE reshape: shape[0] must be a whole number of at least 0; got -1.",
        "an order of text": "TYPE permute: order must be an array of whole numbers; got "012".",
        "an order too short": "RANK permute: order must name each of the 3 axes once; got [0, 1].",
        "another count": "SHAPE reshape: shape must have 24 elements, as the tensor has; got [5, 5].",
        "no shape": "TYPE tensor: tensor must have an array as its shape; got undefined.",
        "no such axis": "RANK slice: axis must be an axis of a tensor of rank 3; got 3.",
        "no typed array": "TYPE slice: tensor must have a typed array as its data; got an array.",
        "not a tensor": "TYPE reshape: tensor must be a tensor; got 3.",
        "options that are none": "TYPE tensor: options must be an object; got 3.",
        "too little data": "BOUNDS tensor: tensor must lie inside its data of 24 elements; got elements 0 to 24.",
      }
    `)
  })
})

describe('failures of the native side', () => {
  const failure = (details: object): never => {
    throw Object.assign(new Error('native'), details)
  }
  test('come back with the operation, the argument and a code', () => {
    const run = (details: object) => {
      behaviour.run = () => failure(details)
      try {
        dense(x, { weight })
      } catch (error) {
        return error as Structured
      } finally {
        delete behaviour.run
      }
      return expect.fail('nothing was thrown')
    }
    const memory = run({
      code: 'ERR_FOVEA_MEMORY',
      argument: 'scratch memory',
      expected: 'be available',
      received: 'an allocation that failed',
    })
    expect(memory).toBeInstanceOf(FoveaError)
    expect(memory.message).toBe(
      'dense: scratch memory must be available; got an allocation that failed.',
    )
    expect(memory.name).toBe('FoveaError')
    const lost = run({ code: 'ERR_FOVEA_DETACHED', expected: 'have its memory', slot: 2 })
    expect(lost).toBeInstanceOf(TypeError)
    expect(lost.argument).toBe('weights.weight')
    expect(
      run({ code: 'ERR_FOVEA_BOUNDS', expected: 'lie inside its data', slot: 0 }).argument,
    ).toBe('x')
    expect(run({}).message).toBe('native')
  })

  test('info', () => {
    const { info: real } = native
    native.info = () =>
      failure({
        code: 'ERR_FOVEA_ISA',
        argument: 'FOVEA_ISA',
        expected: 'be one of scalar',
        received: "'mmx'",
      })
    try {
      expect(() => info()).toThrow("info: FOVEA_ISA must be one of scalar; got 'mmx'.")
    } finally {
      native.info = real
    }
  })
})

describe('words', () => {
  test('the nearest name', () => {
    const names = ['scale', 'causal', 'align', 'windowLeft', 'windowRight', 'threads']
    expect(
      ['scael', 'windowleft', 'window', 'treads', 'x', 'wibble', 'casual'].map(name =>
        nearest(name, names),
      ),
    ).toEqual(['scale', 'windowLeft', undefined, 'threads', undefined, undefined, 'causal'])
  })

  test('received values run no code of their owner', () => {
    const hostile = {
      toString: () => expect.fail('toString ran'),
      [Symbol.toPrimitive]: () => expect.fail('toPrimitive ran'),
    }
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    const received = (value: unknown): string => {
      try {
        return fail('op', 'x', 'ERR_FOVEA_TYPE', 'be', value)
      } catch (error) {
        return (error as Structured).received
      }
    }
    const values = [
      hostile,
      proxy,
      [1],
      'a"b',
      'x'.repeat(99),
      -0,
      1n,
      Symbol('s'),
      new Int8Array(2),
    ]
    expect(values.map(received)).toEqual([
      'an object',
      'an object',
      'an array',
      '"a\\"b"',
      `"${'x'.repeat(57)}"…`,
      '-0',
      'a bigint',
      'a symbol',
      'an Int8Array',
    ])
  })

  test('codes that are no wrong argument make a FoveaError', () => {
    const cause = new Error('disk')
    const error = foveaError('readSafetensors', 'path', 'ERR_FOVEA_FILE', 'exist', 'x', cause)
    expect(error).toBeInstanceOf(FoveaError)
    expect(error.cause).toBe(cause)
    expect(Object.keys(error)).toEqual(['code', 'operation', 'argument', 'expected', 'received'])
  })
})
