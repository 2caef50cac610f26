import { beforeEach, describe, expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { attend, conv, dense, route } from './operations.ts'
import { behaviour, crossed, type Slot } from './stubNative.ts'

const floats = (...shape: number[]) => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  shape,
})
const last = () => crossed.at(-1)!
const layout = ({ kind, shape, strides, offset }: Slot) => ({ kind, shape, strides, offset })

beforeEach(() => {
  crossed.length = 0
  behaviour.cancelled.length = 0
  for (const name of ['run', 'submit', 'packedFloats', 'pack'] as const) delete behaviour[name]
})

describe('what crosses the bridge', () => {
  test('tensors, outputs and parameters in the order of the definition', () => {
    const [q, k, v] = [floats(2, 4, 3, 16), floats(2, 2, 5, 16), floats(2, 2, 5, 8)]
    const { out, lse } = attend(q, k, v, { causal: true, outputs: ['lse'], threads: 2 })
    expect(last()).toMatchObject({ op: 'attend', threads: 2, params: [0.25, 1, -1, -1] })
    expect(last().slots.map(({ kind }) => kind)).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0])
    expect(layout(last().slots[1]!)).toEqual({
      kind: 1,
      shape: [2, 2, 5, 16],
      strides: [160, 80, 16, 1],
      offset: 0,
    })
    expect(last().slots[0]!.data).toBe(q.data)
    expect(out).toEqual({
      data: new Float32Array(2 * 4 * 3 * 8),
      shape: [2, 4, 3, 8],
      strides: [96, 24, 8, 1],
      offset: 0,
      dtype: 'float32',
    })
    expect(last().slots[8]!.data).toBe(out.data)
    expect(lse.shape).toEqual([2, 4, 3])
  })

  test('views as they lie, and what other libraries call them', () => {
    const data = new Float32Array(1000)
    const v = floats(1, 1, 2, 4)
    const query = { data, dims: [1, 1, 3, 4], stride: [9, 9, -4, 2], offset: 20, type: 'float32' }
    const key = { data, shape: [1, 1, 2, 4], strides: () => [], stride: () => [] }
    attend(query, key, v)
    // The stride of an axis of size 1 is the row-major one.
    expect(layout(last().slots[0]!)).toEqual({
      kind: 1,
      shape: [1, 1, 3, 4],
      strides: [-12, -12, -4, 2],
      offset: 20,
    })
    expect(layout(last().slots[1]!).strides).toEqual([8, 8, 4, 1])
  })

  test('a mask or a bias is spread to the full shape by zero strides', () => {
    const [q, k, v] = [floats(2, 4, 3, 16), floats(2, 2, 5, 16), floats(2, 2, 5, 8)]
    attend(q, k, v, {
      mask: { data: new Uint8Array(15), shape: [3, 5] },
      bias: floats(2, 1, 1, 5),
    })
    expect(layout(last().slots[3]!)).toEqual({
      kind: 4,
      shape: [2, 4, 3, 5],
      strides: [0, 0, 5, 1],
      offset: 0,
    })
    expect(layout(last().slots[4]!).strides).toEqual([5, 0, 0, 1])
  })

  test('integer tensors are copied, and the copy is contiguous', () => {
    const [q, k, v] = [floats(2, 4, 3, 16), floats(2, 2, 5, 16), floats(2, 2, 5, 8)]
    const data = new Int32Array([0, 5, 0, 3])
    attend(q, k, v, { lengths: { data, shape: [2], strides: [-2], offset: 3 } })
    expect(layout(last().slots[5]!)).toEqual({ kind: 5, shape: [2], strides: [1], offset: 0 })
    expect(last().slots[5]!.data).toEqual(new Int32Array([3, 5]))
    expect(last().slots[5]!.data!.buffer).not.toBe(data.buffer)
  })

  test('parameters: lists spread, choices as indices, defaults that follow from weights', () => {
    conv(
      floats(1, 6, 8, 9),
      { weight: floats(4, 2, 3, 3) },
      { stride: 2, size: [1, 2], pools: ['max'] },
    )
    expect(last().params).toEqual([2, 2, 3, 0, 1e-5, 0, 1])
    expect(last().slots[1]!.shape).toEqual([1, 4, 4, 4])
    conv(floats(1, 6, 8, 9, 2), { weight: floats(4, 6, 3, 3, 3) }, { stride: [1, 2, 1] })
    expect(last().params).toEqual([1, 2, 1, 1, 0, 1e-5, 1, 2])
    expect(last().slots[1]!.shape).toEqual([1, 4, 8, 4, 2])
  })

  test('an unused parameter is replaced by its default', () => {
    conv(floats(1, 2, 4, 4), { weight: floats(4, 2, 3, 3) }, { eps: -1 })
    expect(last().params[4]).toBe(1e-5)
  })

  test('empty axes reach the engine without wild strides', () => {
    const { out } = attend(floats(0, 4, 3, 16), floats(0, 2, 5, 16), floats(0, 2, 5, 8))
    expect(out.shape).toEqual([0, 4, 3, 8])
    expect(out.data.length).toBe(0)
    const empty = { data: new Float32Array(4), shape: [2, 2, 0, 16], strides: [2 ** 50, 1, 1, 1] }
    attend(floats(2, 4, 3, 16), empty, floats(2, 2, 0, 8))
    expect(last().slots[1]!.strides).toEqual([0, 0, 16, 1])
  })

  test('outputs without `out`, int32 ones, a required parameter, an absent tensor', () => {
    const { assignments, distances } = route(floats(5, 3), null, floats(7, 3), {
      shared: true,
      decay: 1,
    })
    expect(assignments).toMatchObject({ data: new Int32Array(5), dtype: 'int32', shape: [5] })
    expect(distances.dtype).toBe('float32')
    expect(last().slots.map(({ kind }) => kind)).toEqual([1, 0, 1, 5, 1])
    expect(last().params).toEqual([1, 7, 1])
  })

  test('rank 1 and rank 5 of an operation over the last axis', () => {
    expect(dense(floats(3), { weight: floats(2, 3) }).out.shape).toEqual([2])
    const { out } = dense(floats(2, 1, 2, 2, 3), { weight: floats(2, 3) })
    expect(out.shape).toEqual([2, 1, 2, 2, 2])
  })
})

describe('memory for outputs', () => {
  test('the very object is returned, and its memory written', () => {
    const into = {
      data: new Float32Array(40),
      shape: [2, 2],
      strides: [-10, 3],
      offset: 20,
      tag: 1,
    }
    const result = dense(floats(2, 3), { weight: floats(2, 3) }, { into: { out: into } })
    expect(result.out).toBe(into)
    expect(last().slots[1]!.data).toBe(into.data)
    expect(layout(last().slots[1]!).strides).toEqual([-10, 3])
  })

  test('an output given memory for need not be asked for', () => {
    const [q, k, v] = [floats(1, 1, 3, 4), floats(1, 1, 5, 4), floats(1, 1, 5, 8)]
    const lse = floats(1, 1, 3)
    expect(attend(q, k, v, { into: { lse } }).lse).toBe(lse)
    expect(Object.keys(attend(q, k, v))).toEqual(['out'])
  })

  test('in place where the definition allows it: the same view, not a part of it', () => {
    const x = floats(2, 2)
    const square = { weight: floats(2, 2) }
    expect(dense(x, square, { into: { out: x } }).out).toBe(x)
    expect(() => dense(x, square, { into: { out: { ...x, strides: [1, 2] } } })).toThrow(
      /into.out must be x itself or share no memory with it/,
    )
    const long = new Float32Array(5)
    expect(() =>
      dense({ data: long, shape: [2, 2] }, square, {
        into: { out: { data: long, shape: [2, 2], offset: 1 } },
      }),
    ).toThrow(/into.out must be x itself/)
  })

  test('interleaved with an input in one buffer, sharing no element', () => {
    const data = new Float32Array(8)
    const x = { data, shape: [2, 2], strides: [4, 2] }
    const out = { data, shape: [2, 2], strides: [4, 2], offset: 1 }
    expect(dense(x, { weight: floats(2, 2) }, { into: { out } }).out).toBe(out)
  })
})

describe('weights', () => {
  const x = floats(2, 3)
  test('half precision is widened', () => {
    const weight = {
      data: Uint16Array.from([0x3f80, 0xc000, 0x7f80, 0x0001, 0x8000, 0x4049]),
      shape: [2, 3],
      dtype: 'bfloat16',
    }
    const bias = { data: Uint16Array.from([0x3c00, 0x0001]), shape: [2], dtype: 'float16' }
    dense(x, { weight, bias })
    const bf16 = new Float32Array(new Uint32Array([0x00010000]).buffer)[0]
    expect([...last().slots[2]!.data!]).toEqual([1, -2, Infinity, bf16, -0, 3.140625])
    expect([...last().slots[3]!.data!]).toEqual([1, 2 ** -24])
  })

  test('counters of batch norms are ignored, whatever they hold', () => {
    const norm = {
      weight: floats(4, 2, 1, 1),
      'norm.running_mean': floats(4),
      'norm.running_var': floats(4),
      'norm.num_batches_tracked': { data: new BigInt64Array(1), shape: [] },
    }
    conv(floats(1, 2, 4, 4), norm as never, { mode: 'norm' })
    expect(last().slots.map(({ kind }) => kind)).toEqual([1, 1, 0, 1, 0, 0, 0, 1, 1])
  })
})
