import { expect, test } from 'vitest'
import { scaledDotProductAttention, tensor } from '../../lib/index.ts'
import * as promises from '../../lib/promises.ts'

const smallest = Number.MIN_VALUE
const isExact = (): boolean => smallest * 1.5 !== 0 && Math.fround(1e-40) !== 0

test('the engine flushes subnormals and JavaScript does not', async () => {
  const x = tensor(new Float32Array(2 * 256 * 64).fill(0.1), [1, 2, 256, 64])
  expect(isExact()).toBe(true)
  scaledDotProductAttention(x, x, x)
  expect(isExact()).toBe(true)
  const pending = promises.scaledDotProductAttention(x, x, x)
  expect(isExact()).toBe(true)
  await pending
  expect(isExact()).toBe(true)
})
