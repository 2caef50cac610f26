import { beforeEach, describe, expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { prepareWeights } from '../../lib/core/prepareWeights.ts'
import { conv, dense } from './operations.ts'
import { behaviour, type Crossed, crossed } from './stubNative.ts'

const floats = (...shape: number[]) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  shape,
})
const last = (): Crossed => crossed.at(-1)!
const kinds = (call: Crossed): number[] => call.slots.map(({ kind }) => kind)

beforeEach(() => {
  crossed.length = 0
  behaviour.packedFloats = undefined as never
  behaviour.pack = undefined as never
})

describe('an operation that packs', () => {
  let packing: Crossed | undefined
  beforeEach(() => {
    behaviour.packedFloats = () => 20
    behaviour.pack = (call, packed) => {
      packing = call
      packed.fill(7)
    }
  })

  test('packs once, from the weights alone; calls then describe the weights and hand over the pack', () => {
    const weight = floats(4, 3)
    const prepared = prepareWeights('dense', { weight })
    expect(kinds(packing!)).toEqual([0, 0, 1, 0])
    expect(packing!.slots[2]!.data).toBe(weight.data)
    weight.data.fill(0)
    const { out } = dense(floats(2, 3), prepared)
    expect(out.shape).toEqual([2, 4])
    expect(kinds(last())).toEqual([1, 1, 17, 0, 1])
    expect(last().slots[2]).toMatchObject({ shape: [4, 3], data: undefined })
    expect(last().slots[4]).toMatchObject({ shape: [20], strides: [1], offset: 0 })
    expect(last().slots[4]!.data).toEqual(new Float32Array(20).fill(7))
    expect(crossed).toHaveLength(1)
  })

  test('holds the input against the prepared shapes', () => {
    const prepared = prepareWeights('dense', { weight: floats(4, 3) })
    expect(() => dense(floats(2, 5), prepared)).toThrow(
      'dense: weights.weight must have shape [out=4, in=5], in as in x; got [4, 3].',
    )
  })
})

test('an operation that packs nothing keeps copies, contiguous and widened', () => {
  const weight = { ...floats(4, 3), shape: [3, 4], strides: [1, 3] }
  const bias = { data: Uint16Array.of(0x3f80, 0x4000, 0x4040), shape: [3], dtype: 'bfloat16' }
  const prepared = prepareWeights('dense', { weight, bias })
  weight.data.fill(99)
  dense(floats(2, 4), prepared)
  expect(kinds(last())).toEqual([1, 1, 1, 1])
  expect(last().slots[2]).toMatchObject({ strides: [4, 1], offset: 0 })
  expect([...last().slots[2]!.data!]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])
  expect([...last().slots[3]!.data!]).toEqual([1, 2, 3])
})

describe('parameters', () => {
  const weight = floats(4, 2, 3, 3)
  const normed = {
    weight,
    'norm.running_mean': floats(4),
    'norm.running_var': floats(4),
    'norm.num_batches_tracked': { data: new BigInt64Array(1), shape: [] },
  }
  const x = floats(1, 6, 8, 9)

  test('a call that leaves one out takes the prepared one', () => {
    const prepared = prepareWeights('conv', normed, { mode: 'norm', eps: 0.5, stride: 2 })
    conv(x, prepared)
    expect(last().params).toEqual([2, 2, 3, 1, 0.5, 1, 2])
    conv(x, prepared, { mode: 'norm', eps: 0.5, stride: [2, 2], groups: 3 })
    expect(last().params).toEqual([2, 2, 3, 1, 0.5, 1, 2])
  })

  test('another value is an error, also where prepareWeights took the default', () => {
    const prepared = prepareWeights('conv', normed, { mode: 'norm' })
    expect(() => conv(x, prepared, { eps: 0.5 })).toThrow(
      'conv: eps must be 0.00001, as in the prepared weights; got 0.5.',
    )
    expect(() => conv(x, prepared, { mode: 'none' })).toThrow(
      "conv: mode must be 'norm', as in the prepared weights; got 'none'.",
    )
    expect(() => conv(x, prepared, { stride: [1, 2] })).toThrow(
      'conv: stride must be 1, as in the prepared weights; got [1, 2].',
    )
  })

  test("one that is each call's own is free, unless it was given", () => {
    const free = prepareWeights('dense', { weight: floats(4, 3) })
    dense(floats(2, 3), free, { gain: 3 })
    expect(last().params).toEqual([3])
    dense(floats(2, 3), free)
    expect(last().params).toEqual([1])
    const fixed = prepareWeights('dense', { weight: floats(4, 3) }, { gain: 3 })
    dense(floats(2, 3), fixed)
    expect(last().params).toEqual([3])
    expect(() => dense(floats(2, 3), fixed, { gain: 1 })).toThrow(RangeError)
  })

  test('what only tensors tell stays open', () => {
    const prepared = prepareWeights('conv', { weight: floats(4, 2, 3, 3) })
    conv(floats(1, 2, 8, 9), prepared)
    expect(last().params[2]).toBe(1)
    conv(floats(1, 6, 8, 9), prepared)
    expect(last().params[2]).toBe(3)
  })
})

test('prepared weights cannot be changed, copied or forged', () => {
  const prepared = prepareWeights('dense', { weight: floats(4, 3) })
  expect(prepared.operation).toBe('dense')
  expect(Object.isFrozen(prepared)).toBe(true)
  expect(() => Object.assign(prepared, { operation: 'conv' })).toThrow(TypeError)
  const loose = dense as unknown as (...args: unknown[]) => unknown
  for (const forged of [
    Object.create(prepared),
    new Proxy(prepared, {}),
    structuredClone(prepared),
    { ...prepared },
  ]) {
    expect(() => loose(floats(2, 3), forged)).toThrow(TypeError)
  }
})

test('a record is checked at each call, never cached', () => {
  const weights: Record<string, ReturnType<typeof floats>> = { weight: floats(4, 3) }
  expect(dense(floats(2, 3), weights).out.shape).toEqual([2, 4])
  weights.weight = floats(5, 3)
  expect(dense(floats(2, 3), weights).out.shape).toEqual([2, 5])
  weights.wieght = floats(5, 3)
  expect(() => dense(floats(2, 3), weights)).toThrow(TypeError)
})
