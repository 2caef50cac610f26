import { expect, test } from 'vitest'
import { maxPool2d as reference } from '../reference/maxPool2d.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

const pool = (
  random: Random,
  shape: readonly number[],
  params: Readonly<Record<string, unknown>>,
): Inputs => ({ tensors: { x: random.tensor(shape) }, weights: {}, params })

/** The pool of every residual network. */
const halving = { kernel: 3, stride: 2, padding: 1 }

function anyPool(random: Random): Inputs {
  const each = (of: (axis: number) => number): number[] => [of(0), of(1)]
  const kernel = each(() => random.integer(1, 6))
  const padding = each(axis => random.integer(0, Math.floor(kernel[axis]! / 2)))
  const size = each(axis => Math.max(1, kernel[axis]! - 2 * padding[axis]!) + random.integer(0, 20))
  const stride = random.boolean(0.7) ? { stride: each(() => random.integer(1, 5)) } : {}
  return pool(random, [random.integer(1, 3), random.integer(1, 4), ...size], {
    kernel,
    padding,
    ...stride,
  })
}

describeOperation({
  reference,
  cases: {
    halving: random => pool(random, [2, 3, 9, 14], halving),
    'any parameters': anyPool,
    'side by side': random => pool(random, [2, 2, 7, 40], { kernel: 2 }),
    'every position': random =>
      pool(random, [1, 2, 6, 35], { kernel: [3, 5], stride: 1, padding: [1, 2] }),
    'one element': random => pool(random, [2, 2, 1, 1], halving),
    'one column': random => pool(random, [1, 3, 9, 1], halving),
    'a stride beyond the map': random =>
      pool(random, [1, 2, 5, 6], { kernel: 2, stride: 2_000_000_000 }),
  },
  sizes: (n, random) => pool(random, [1, 2, n, n], halving),
  large: {
    'many planes': random => pool(random, [2, 60, 31, 33], halving),
    'one large plane': random =>
      pool(random, [1, 1, 530, 411], { kernel: 3, stride: 1, padding: 1 }),
  },
  tolerance: { rtol: 0, atol: 0 },
  wrong: {
    'no kernel': { params: { kernel: undefined }, code: 'ERR_FOVEA_OPTION', argument: 'kernel' },
    'an empty kernel': {
      params: { kernel: [0, 1] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'kernel[0]',
    },
    'padding of more than half the kernel': {
      params: { padding: 2 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'padding',
    },
    'a kernel larger than the map': {
      params: { kernel: [3, 30], padding: 0 },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'five axes': {
      tensors: { x: float32([1, 1, 2, 2, 2]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    },
  },
  properties() {
    test.each(isas)('a window far larger than the map sees all of it, %s', isa => {
      useIsa(isa)
      const x = float32([1, 1, 2, 3], n => n)
      const params = { kernel: 2_000_000_000, stride: 1, padding: 1_000_000_000 }
      const { shape, data } = call(reference, { tensors: { x }, weights: {}, params }).out!
      expect({ shape, data }).toEqual({
        shape: [1, 1, 3, 4],
        data: Float32Array.of(5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5),
      })
    })

    test.each(isas)('NaN wins wherever it stands, and -Infinity loses, %s', isa => {
      useIsa(isa)
      for (let at = 0; at < 9; at++) {
        const x = float32([1, 1, 3, 3], n => (n === at ? Number.NaN : Number.NEGATIVE_INFINITY))
        const inputs = { tensors: { x }, weights: {}, params: { kernel: 3, padding: 1 } }
        const [out] = call(reference, inputs).out!.data
        const sees = at !== 2 && at !== 5 && at < 6
        expect(out).toBe(sees ? Number.NaN : Number.NEGATIVE_INFINITY)
      }
    })
  },
})
