// Arguments that change between two looks, lie, call back, or vanish: against the real engine.
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { layerNorm, linear, scaledDotProductAttention, softmax, tensor } from '../../lib/index.ts'
import * as promises from '../../lib/promises.ts'

const loose = scaledDotProductAttention as unknown as (...args: unknown[]) => {
  out: { data: Float32Array }
}
const filled = (n: number, value = 1): Float32Array => new Float32Array(n).fill(value)
const square = (n: number) => tensor(filled(n * n), [1, 1, n, n])

/** An object each of whose properties, at any depth, may be read once: a second look fails the test. */
function once(value: object, path: string, seen: Set<string>): object {
  return new Proxy(value, {
    get(target, key) {
      const name = `${path}.${String(key)}`
      expect(seen.has(name), `${name} was read twice`).toBe(false)
      seen.add(name)
      const inner: unknown = Reflect.get(target, key)
      const isPlain = typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner)
      return isPlain ? once(inner, name, seen) : inner
    },
  })
}

test('no property of an argument is read twice', async () => {
  const seen = new Set<string>()
  const view = (...shape: number[]) => ({
    data: filled(4096),
    shape,
    strides: shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1)),
    offset: 0,
    dtype: 'float32',
  })
  const q = once(view(2, 4, 3, 8), 'query', seen)
  const k = once({ data: filled(999), dims: [2, 2, 5, 8] }, 'key', seen)
  const v = once({ data: filled(999), shape: [2, 2, 5, 8], stride: [80, 40, 8, 1] }, 'value', seen)
  const options = once(
    {
      mask: { data: new Uint8Array(15).fill(1), shape: [3, 5] },
      keyLengths: { data: new Int32Array([5, 4]), shape: [2] },
      causal: true,
      align: 'topLeft',
      outputs: ['lse'],
      into: { out: view(2, 4, 3, 8) },
      threads: 1,
    },
    'options',
    seen,
  )
  loose(q, k, v, options)
  expect([...seen].filter(name => name.startsWith('query.shape'))).toHaveLength(6)

  const looseLinear = promises.linear as unknown as (...args: unknown[]) => Promise<unknown>
  const weights = once({ weight: view(4, 3), bias: view(4) }, 'weights', seen)
  await looseLinear(once(view(2, 3), 'x', seen), weights, once({ priority: 1 }, 'last', seen))
})

test('what is read first counts, whatever is shown later', () => {
  let looks = 0
  const shape = [1, 1, 4, 4]
  const query = {
    data: filled(16),
    get shape() {
      return looks++ === 0 ? shape : [1, 1, 2 ** 30, 4]
    },
  }
  const changing = new Proxy(shape, {
    get: (target, key) => (key === 'length' ? 4 : Reflect.get(target, key)),
  })
  const { out } = scaledDotProductAttention(query, { data: filled(16), shape: changing }, square(4))
  expect(out.shape).toEqual([1, 1, 4, 4])
})

describe('a getter that calls back', () => {
  test('into the same operation, with other shapes', () => {
    let depth = 0
    const query = (n: number): { data: Float32Array; readonly shape: number[] } => ({
      data: filled(n * n),
      get shape() {
        if (depth++ < 20) {
          const { out } = scaledDotProductAttention(
            query(depth + 1),
            square(depth + 1),
            square(depth + 1),
          )
          expect(out.shape).toEqual([1, 1, out.shape[2], out.shape[2]])
        }
        return [1, 1, n, n]
      },
    })
    const { out } = scaledDotProductAttention(query(16), square(16), square(16))
    expect(out.shape).toEqual([1, 1, 16, 16])
    expect(out.data).toEqual(filled(256))
  })

  test('and throws', () => {
    const reason = new Error('mine')
    const key = {
      data: filled(16),
      get shape(): never {
        throw reason
      },
    }
    expect(() => scaledDotProductAttention(square(4), key, square(4))).toThrow(reason)
    expect(scaledDotProductAttention(square(4), square(4), square(4)).out.data[0]).toBe(1)
  })

  test('and takes away the memory of a tensor that was read before', () => {
    const data = filled(16)
    const into = tensor(filled(16, 7), [1, 1, 4, 4])
    const key = {
      data: filled(16),
      get shape() {
        structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] })
        return [1, 1, 4, 4]
      },
    }
    expect(() =>
      scaledDotProductAttention({ data, shape: [1, 1, 4, 4] }, key, square(4), {
        into: { out: into },
      }),
    ).toThrow(expect.objectContaining({ code: 'ERR_FOVEA_DETACHED', argument: 'query' }))
    expect(into.data).toEqual(filled(16, 7))
  })

  test('or the memory of an output', () => {
    const into = tensor(filled(16), [1, 1, 4, 4])
    const options = {
      into: { out: into },
      get scale() {
        structuredClone(into.data.buffer, { transfer: [into.data.buffer as ArrayBuffer] })
        return 1
      },
    }
    expect(() => scaledDotProductAttention(square(4), square(4), square(4), options)).toThrow(
      expect.objectContaining({ code: 'ERR_FOVEA_DETACHED', argument: 'into.out' }),
    )
  })
})

describe('lies', () => {
  test('own properties of a typed array and of its buffer', () => {
    const data = filled(4)
    Object.defineProperty(data, 'length', { value: 2 ** 20 })
    Object.defineProperty(data, 'byteLength', { value: 2 ** 22 })
    expect(() => softmax({ data, shape: [2 ** 20] })).toThrow(/inside its data of 4 elements/)
    const Flexible = ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer
    const buffer = new Flexible(64, { maxByteLength: 128 })
    Object.defineProperty(buffer, 'resizable', { value: false })
    expect(() => softmax({ data: new Float32Array(buffer), shape: [16] })).toThrow(
      expect.objectContaining({ code: 'ERR_FOVEA_RESIZABLE' }),
    )
    const x = filled(16)
    Object.defineProperty(x, 'buffer', { value: new ArrayBuffer(64) })
    expect(() =>
      linear(
        { data: x, shape: [4, 4] },
        { weight: { data: filled(16), shape: [4, 4] } },
        { into: { out: { data: x.subarray(), shape: [4, 4] } } },
      ),
    ).toThrow(expect.objectContaining({ code: 'ERR_FOVEA_OVERLAP' }))
  })

  test('buffers with another prototype', () => {
    const plain = new ArrayBuffer(64)
    Object.setPrototypeOf(plain, SharedArrayBuffer.prototype)
    expect(softmax({ data: new Float32Array(plain), shape: [16] }).out.data[0]).toBe(1 / 16)
    const shared = new SharedArrayBuffer(64)
    Object.setPrototypeOf(shared, ArrayBuffer.prototype)
    expect(softmax({ data: new Float32Array(shared), shape: [16] }).out.data[0]).toBe(1 / 16)
    Object.setPrototypeOf(shared, null)
    expect(softmax({ data: new Float32Array(shared), shape: [16] }).out.data[0]).toBe(1 / 16)
  })

  test('subclasses of typed arrays are what they hold', () => {
    class Mine extends Float32Array {
      override get length(): number {
        return 1
      }
    }
    expect(softmax({ data: new Mine(4), shape: [4] }).out.data).toEqual(filled(4, 0.25))
    const mask = { data: Buffer.alloc(16, 1), shape: [4, 4] }
    expect(scaledDotProductAttention(square(4), square(4), square(4), { mask }).out.data[0]).toBe(1)
  })

  test('arrays with a length of their own', () => {
    const endless = new Proxy([4], {
      get: (t, key) => (key === 'length' ? 2 ** 32 : Reflect.get(t, key)),
    })
    expect(() => softmax({ data: filled(4), shape: endless })).toThrow(
      expect.objectContaining({ code: 'ERR_FOVEA_RANK' }),
    )
    for (const length of [-1, 0.5, Number.NaN, '2', {}, undefined]) {
      const odd = new Proxy([4, 4], {
        get: (t, key) => (key === 'length' ? length : Reflect.get(t, key)),
      })
      expect(() => softmax({ data: filled(16), shape: odd })).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^ERR_FOVEA_(TYPE|RANK)$/) }),
      )
    }
  })

  test('null prototypes are as good as others', () => {
    const bare = (properties: object) => Object.assign(Object.create(null), properties)
    const { out } = layerNorm(
      bare({ data: filled(4), shape: [4] }),
      bare({
        weight: bare({ data: filled(4), shape: [4] }),
        bias: bare({ data: filled(4), shape: [4] }),
      }),
      bare({ eps: 1, outputs: [], into: bare({}) }),
    )
    expect(out.data).toEqual(filled(4))
  })

  test('revoked Proxies', () => {
    const { proxy, revoke } = Proxy.revocable<number[]>([], {})
    revoke()
    expect(() => softmax({ data: filled(4), shape: proxy })).toThrow(
      expect.objectContaining({ code: 'ERR_FOVEA_TYPE' }),
    )
    expect(() => softmax(proxy as never)).toThrow(TypeError)
  })
})

test('one shared memory under two names', () => {
  const shared = new SharedArrayBuffer(4 * 40)
  const again = structuredClone(shared)
  expect(again).not.toBe(shared)
  const x = { data: new Float32Array(shared, 0, 16).fill(1), shape: [4, 4] }
  const weight = { data: filled(16), shape: [4, 4] }
  const into = (offset: number) => ({
    out: { data: new Float32Array(again, 4), shape: [4, 4], offset },
  })
  expect(() => linear(x, { weight }, { into: into(14) })).toThrow(
    expect.objectContaining({ code: 'ERR_FOVEA_OVERLAP' }),
  )
  expect(linear(x, { weight }, { into: into(15) }).out.data[15]).toBe(4)
})

test('minus zero is zero', () => {
  const { out } = softmax({ data: filled(4), shape: [-0, 4], offset: -0 })
  expect(Object.is(out.shape[0], 0)).toBe(true)
  const one = { data: filled(4), shape: [2, 2], strides: [-0, 1] }
  expect(softmax(one).out.data).toEqual(filled(4, 0.5))
})

test('a Worker that flips lengths while they are read', async () => {
  const shared = new SharedArrayBuffer(8)
  const lengths = new Int32Array(shared)
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads')
     const lengths = new Int32Array(workerData)
     for (;;) { lengths[0] = 2 ** 30; lengths[0] = -5; lengths[0] = 3 }`,
    { eval: true, workerData: shared },
  )
  try {
    const qkv = tensor(filled(2 * 8 * 8), [2, 1, 8, 8])
    let refused = 0
    const end = performance.now() + 1000
    while (performance.now() < end) {
      try {
        const { out } = scaledDotProductAttention(qkv, qkv, qkv, {
          keyLengths: { data: lengths, shape: [2] },
        })
        expect([0, 1]).toContain(out.data[0])
      } catch (error) {
        expect((error as { code: string }).code).toBe('ERR_FOVEA_BOUNDS')
        refused++
      }
      if (refused % 100 === 0) await delay(0)
    }
  } finally {
    await worker.terminate()
  }
})

test('copyInputs: the memory may go at once', async () => {
  const x = tensor(filled(64 * 64, 2), [64, 64])
  const done = promises.softmax(x, { copyInputs: true })
  structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] })
  expect(x.data.length).toBe(0)
  expect((await done).out.data).toEqual(filled(64 * 64, 1 / 64))
})

test('outputs lie on memory that can be transferred', () => {
  for (const n of [1, 3, 100, 5000]) {
    const { out } = softmax(tensor(filled(n), [n]))
    const { buffer } = out.data
    expect(buffer).toBeInstanceOf(ArrayBuffer)
    expect(buffer.byteLength).toBe(4 * n)
    const moved = structuredClone(buffer, { transfer: [buffer] })
    expect(moved.byteLength).toBe(4 * n)
    expect(out.data.length).toBe(0)
  }
})
