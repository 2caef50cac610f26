import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { permute, reshape, slice } from '../../lib/core/tensors/derivedViews.ts'
import { tensor } from '../../lib/core/tensors/makeTensor.ts'

interface Shown {
  readonly data: ArrayLike<number>
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
}

/** The elements that a view shows, in row-major order. */
function elements({ data, shape, strides, offset }: Shown): number[] {
  let addresses = [offset]
  shape.forEach((size, axis) => {
    addresses = addresses.flatMap(a =>
      Array.from({ length: size }, (_, i) => a + i * strides[axis]!),
    )
  })
  return addresses.map(a => data[a]!)
}

const counting = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i)

test('tensor is a view of the array itself', () => {
  const data = counting(24)
  const t = tensor(data, [2, 3, 4])
  expect(t).toEqual({ data, shape: [2, 3, 4], strides: [12, 4, 1], offset: 0, dtype: 'float32' })
  expect(t.data).toBe(data)
  const packed = tensor(data, [2, 4], { strides: [-12, 2], offset: 13 })
  expect(elements(packed)).toEqual([13, 15, 17, 19, 1, 3, 5, 7])
  expect(tensor(data, []).shape).toEqual([])
  expect(tensor(data, [0, 7])).toMatchObject({ shape: [0, 7], offset: 0 })
  const half = tensor(new Uint16Array(2), [2], { dtype: 'bfloat16' })
  expect(half.dtype).toBe('bfloat16')
})

test('tensor copies the lists that it is given', () => {
  const shape = [2, 3]
  const strides = [3, 1]
  const t = tensor(counting(6), shape, { strides })
  shape[0] = 9
  strides[0] = 9
  expect(t.shape).toEqual([2, 3])
  expect(t.strides).toEqual([3, 1])
})

test('views of views compose', () => {
  const t = tensor(counting(24), [2, 3, 4])
  const turned = permute(t, [2, 0, 1])
  expect(turned.shape).toEqual([4, 2, 3])
  expect(elements(turned).slice(0, 6)).toEqual([0, 4, 8, 12, 16, 20])
  const part = slice(slice(turned, 0, 1, 3), 2, 2)
  expect(elements(part)).toEqual([9, 21, 10, 22])
  const flat = reshape(permute(part, [1, 0, 2]), [2, 1, 2])
  expect(elements(flat)).toEqual([9, 10, 21, 22])
})

test('they take what other libraries call tensors, and element types that only files hold', () => {
  const data = new Float64Array(counting(6))
  const onnx = { data, dims: [2, 3], type: 'float64' }
  expect(permute(onnx, [1, 0])).toMatchObject({ shape: [3, 2], strides: [1, 3], dtype: 'float64' })
  const ints = { data: new BigInt64Array(4), shape: [4], dtype: 'int64' as const }
  expect(slice(ints, 0, 1).dtype).toBe('int64')
  expect(slice({ data: new BigUint64Array(4), shape: [4] }, 0, 3).dtype).toBe('uint64')
  expect(reshape({ data: new Uint8Array(4), shape: [4], dtype: 'bool' }, [2, 2]).dtype).toBe('bool')
})

test('a slice at the end is empty, not out of bounds', () => {
  const t = tensor(counting(6), [2, 3])
  expect(slice(t, 0, 2)).toMatchObject({ shape: [0, 3], offset: 0 })
  expect(slice(t, 1, 3, 3).shape).toEqual([2, 0])
  expect(permute(slice(t, 0, 2), [1, 0]).shape).toEqual([3, 0])
})

describe('reshape', () => {
  const sizes = fc.array(fc.constantFrom(1, 2, 3, 4, 6), { maxLength: 5 })
  const view = fc
    .record({ sizes, seed: fc.integer(), flip: fc.array(fc.boolean()) })
    .map(({ sizes: shape, seed, flip }): Shown => {
      // Axes laid out in a shuffled order, some backwards, some over a larger parent.
      const order = shape.map((_, i) => i)
      let state = seed >>> 0
      for (let i = order.length - 1; i > 0; i--) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        if ((state >>> 16) % 3 === 0) continue
        const j = (state >>> 16) % (i + 1)
        ;[order[i], order[j]] = [order[j]!, order[i]!]
      }
      const strides = new Array<number>(shape.length).fill(0)
      let step = 1
      let offset = 0
      for (let i = order.length - 1; i >= 0; i--) {
        const axis = order[i]!
        strides[axis] = flip[axis] === true ? -step : step
        if (flip[axis] === true) offset += step * (shape[axis]! - 1)
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        step *= shape[axis]! + ((state >>> 16) % 4 === 0 ? 1 : 0)
      }
      return { data: counting(step), shape, strides, offset }
    })

  // The prime factors of the sizes, shuffled now and then, multiplied together in new groups.
  const regrouping = fc.integer().map(seed => (shape: readonly number[]): number[] => {
    let state = seed >>> 0
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return (state >>> 16) % n
    }
    const primes = shape.flatMap(n => ({ 1: [], 2: [2], 3: [3], 4: [2, 2], 6: [2, 3] })[n] ?? [])
    if (below(3) === 0) primes.reverse()
    const sizes: number[] = []
    for (const prime of primes) {
      if (sizes.length > 0 && below(2) === 0) sizes[sizes.length - 1]! *= prime
      else sizes.push(prime)
      if (below(4) === 0) sizes.push(1)
    }
    return sizes
  })

  test('shows the same elements in the same order, or refuses where no strides do', () => {
    let kept = 0
    fc.assert(
      fc.property(view, regrouping, (from, group) => {
        const to = group(from.shape)
        const source = from as Shown & { data: Float32Array }
        let result: Shown
        try {
          result = reshape(source, to) as Shown
        } catch (error) {
          expect((error as { code: string }).code).toBe('ERR_FOVEA_STRIDE')
          expect(hasStrides(elements(source), to)).toBe(false)
          return
        }
        kept++
        expect(result.shape).toEqual(to)
        expect(elements(result)).toEqual(elements(source))
      }),
      { numRuns: 1500, seed: 3 },
    )
    expect(kept).toBeGreaterThan(100)
  })

  /** Whether addresses in row-major order can be had from strides over this shape. */
  function hasStrides(addresses: readonly number[], shape: readonly number[]): boolean {
    let step = addresses.length
    const strides = shape.map(size => {
      step /= size
      return size === 1 ? 0 : addresses[step]! - addresses[0]!
    })
    const shown = elements({ data: counting(5000), shape, strides, offset: 1000 })
    return shown.every((address, i) => address - 1000 === addresses[i]! - addresses[0]!)
  }

  test('empty tensors and axes of size 1 take any shape', () => {
    expect(reshape(tensor(counting(0), [0, 3]), [5, 0, 2]).shape).toEqual([5, 0, 2])
    expect(reshape(tensor(counting(1), []), [1, 1]).strides).toEqual([1, 1])
    expect(elements(reshape(permute(tensor(counting(4), [1, 4]), [1, 0]), [2, 1, 2]))).toEqual([
      0, 1, 2, 3,
    ])
  })
})
