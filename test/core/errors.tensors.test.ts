import { describe, expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { attend, dense } from './operations.ts'
import {
  detached,
  floats,
  ints,
  k,
  kernel,
  looseAttend,
  looseConv,
  looseRoute,
  messages,
  q,
  resizable,
  v,
  wasm,
  weight,
  withOptions,
  withQuery,
  x,
} from './wrongCalls.ts'

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

  test('asking costs no buffer where structuredClone moves one before it sees it twice (Deno)', async () => {
    const { structuredClone: clone } = globalThis
    vi.stubGlobal('structuredClone', (value: unknown, options: { transfer: ArrayBuffer[] }) => {
      for (const buffer of options.transfer) clone(value, { transfer: [buffer] })
    })
    vi.resetModules()
    const { isFlexible } = await import('../../lib/core/memory.ts')
    vi.unstubAllGlobals()
    const pages = new ArrayBuffer(2 ** 16)
    expect([isFlexible(pages), pages.byteLength]).toEqual([false, 2 ** 16])
  })
})
