import { describe, expect, test } from 'vitest'
import { compareElements, errorRatio } from '../../lib/cli/tolerance.ts'
import type { FileTensor } from '../../lib/io/readSafetensors.ts'

const tolerance = { rtol: 0.01, atol: 0.5 }
const { NaN: nan, POSITIVE_INFINITY: inf } = Number

describe('errorRatio', () => {
  test.each([
    [100, 100, 0],
    [100.75, 100, 0.5],
    [101.5, 100, 1],
    [-98.5, -100, 1],
    [103, 100, 2],
    [0.5, 0, 1],
    [inf, inf, 0],
    [-inf, -inf, 0],
    [nan, nan, 0],
    [0, -0, 0],
    [inf, -inf, inf],
    [1e30, inf, inf],
    [inf, 1e30, inf],
    [nan, 1, inf],
    [1, nan, inf],
    [nan, inf, inf],
  ])('%d for %d is %d', (got, want, ratio) => {
    expect(errorRatio(got, want, tolerance)).toBeCloseTo(ratio, 12)
  })

  test('no tolerance means equal', () => {
    const none = { rtol: 0, atol: 0 }
    expect(errorRatio(3, 3, none)).toBe(0)
    expect(errorRatio(3, 4, none)).toBe(inf)
  })

  test('just beyond the tolerance is above 1', () => {
    const allowed = 0.1 + 0.2
    const beyond = allowed * (1 + Number.EPSILON)
    expect(errorRatio(allowed, 0, { rtol: 0, atol: allowed })).toBe(1)
    expect(errorRatio(beyond, 0, { rtol: 0, atol: allowed })).toBeGreaterThan(1)
  })
})

describe('compareElements', () => {
  const want = (data: FileTensor['data'], dtype: FileTensor['dtype']): FileTensor => ({
    data,
    shape: [data.length],
    strides: [1],
    offset: 0,
    dtype,
  })

  test('finds the worst element', () => {
    const expected = want(Float32Array.of(1, 2, 3), 'float32')
    expect(compareElements([1.25, 3, 3], expected, { rtol: 0, atol: 0.5 })).toEqual({
      passed: false,
      ratio: 2,
      index: 1,
      got: 3,
      want: 2,
    })
    expect(compareElements([1.25, 2, 3], expected, { rtol: 0, atol: 0.5 })).toMatchObject({
      passed: true,
      ratio: 0.5,
    })
  })

  test('takes any plain number, and nothing that is coded', () => {
    const exact = { rtol: 0, atol: 0 }
    expect(compareElements([7], want(BigInt64Array.of(7n), 'int64'), exact).passed).toBe(true)
    expect(compareElements([7], want(Int32Array.of(7), 'int32'), exact).passed).toBe(true)
    expect(compareElements([], want(new Float64Array(0), 'float64'), exact).passed).toBe(true)
    for (const dtype of ['float16', 'bfloat16', 'float8_e4m3', 'float4'] as const) {
      const coded = want(Uint16Array.of(7), dtype)
      expect(() => compareElements([7], coded, exact)).toThrow(/cannot be compared/)
    }
  })
})
