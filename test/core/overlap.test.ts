import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Box, overlap, overlapsItself } from '../../lib/core/tensors/overlap.ts'

interface Layout {
  shape: number[]
  strides: number[]
  offset: number
  elementBytes: number
}

function addresses({ shape, strides, offset, elementBytes }: Layout): number[] {
  let elements = [offset]
  shape.forEach((size, axis) => {
    elements = elements.flatMap(e => Array.from({ length: size }, (_, i) => e + i * strides[axis]!))
  })
  return elements.map(e => e * elementBytes)
}

function box(layout: Layout): Box {
  const all = addresses(layout)
  return {
    ...layout,
    rank: layout.shape.length,
    low: Math.min(...all),
    high: Math.max(...all) + layout.elementBytes,
  }
}

const layout: fc.Arbitrary<Layout> = fc
  .record({
    axes: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -13, max: 13 })), {
      maxLength: 4,
    }),
    offset: fc.integer({ min: 0, max: 24 }),
    elementBytes: fc.constantFrom(1, 4),
  })
  .map(({ axes, offset, elementBytes }) => ({
    shape: axes.map(([size]) => size),
    strides: axes.map(([, stride]) => stride),
    offset,
    elementBytes,
  }))

test('self-overlap is what counting addresses says', () => {
  fc.assert(
    fc.property(layout, l => {
      const all = addresses(l)
      expect(overlapsItself(box(l))).toBe(new Set(all).size < all.length)
    }),
    { numRuns: 3000, seed: 1 },
  )
})

test('overlap of two views is what counting bytes says', () => {
  fc.assert(
    fc.property(layout, layout, (a, b) => {
      const bytes = new Set(
        addresses(a).flatMap(x => Array.from({ length: a.elementBytes }, (_, i) => x + i)),
      )
      const meets = addresses(b).some(y =>
        Array.from({ length: b.elementBytes }, (_, i) => y + i).some(z => bytes.has(z)),
      )
      expect(overlap(box(a), box(b))).toBe(meets)
    }),
    { numRuns: 3000, seed: 2 },
  )
})

test('interleaved slices of a packed projection lie apart, at any size', () => {
  const part = (index: number): Box => {
    const [B, L, H, D] = [8, 4096, 12, 64]
    const strides = [L * 3 * H * D, D, 3 * H * D, 1]
    const low = index * H * D * 4
    const high = low + ((B - 1) * L * 3 * H * D + (H - 1) * D + (L - 1) * 3 * H * D + D) * 4
    return { rank: 4, shape: [B, H, L, D], strides, elementBytes: 4, low, high }
  }
  expect(overlap(part(0), part(1))).toBe(false)
  expect(overlap(part(0), part(2))).toBe(false)
  expect(overlap(part(1), part(1))).toBe(true)
  expect(overlapsItself(part(1))).toBe(false)
})

test('adversarial strides are answered soon, and on the safe side', () => {
  const primes = [10007, 10009, 10037, 10039, 10061, 10067, 10069, 10079, 10091, 10093]
  const start = performance.now()
  const hostile: Box = {
    rank: primes.length,
    shape: primes.map(() => 9),
    strides: primes,
    elementBytes: 4,
    low: 0,
    high: primes.reduce((sum, p) => sum + 8 * p, 1) * 4,
  }
  expect(overlapsItself(hostile)).toBe(true)
  expect(performance.now() - start).toBeLessThan(1000)
})
