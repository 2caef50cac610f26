// Scratch is bounded and stated: nothing grows as Lq x Lk, and what a call takes beyond its tensors stays
// under a few megabytes a thread, threads and their stacks included.
import { totalmem } from 'node:os'
import { expect, test } from 'vitest'
import { conv2d, scaledDotProductAttention, tensor } from '../../lib/index.ts'
import { runProgram } from './program.ts'

test.each([
  ['scaledDotProductAttention', [1, 2, 16384, 64], {}, 32],
  ['slidingWindowAttention', [1, 1, 131072, 64], { windowLeft: 128, windowRight: 128 }, 16],
  ['sparseAttention', [1, 1, 16384, 64], { pattern: 'strided', stride: 128 }, 16],
  ['neighborhoodAttention', [1, 128, 128, 2, 32], { kernelSize: [7, 7] }, 16],
  [
    'locallyGroupedAttention',
    [1, 2, 65536, 32],
    { height: 256, width: 256, windowHeight: 7, windowWidth: 7 },
    16,
  ],
] as const)('%s of %j', async (op, shape, options, megabytes) => {
  const call = JSON.stringify([op, [shape, shape, shape], options, shape])
  const { code, said, stderr } = await runProgram<{ megabytes: number }>('memory', { args: [call] })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(said.megabytes).toBeLessThan(megabytes)
})

test('outputs are let go: hundreds of calls take the memory of a few', async () => {
  const { code, said, stderr } = await runProgram<Record<string, number>>('outputs')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(said.made).toBeGreaterThan(400)
  expect(said.megabytes).toBeLessThan(said.made! / 4)
})

// Pages that nobody touches are not there: the 8 GB take a few of them.
test.runIf(totalmem() > 2 ** 34)('elements may lie more than 2^31 elements apart', () => {
  const apart = 2 ** 31 + 5
  const near = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i))
  const far = new Float32Array(apart + 64)
  far.set(near.subarray(0, 32))
  far.set(near.subarray(32), apart)
  const mask = new Uint8Array(apart + 16).fill(1, 0, 16)
  mask.set([1, 0, 0, 1], apart)

  const spread = (shape: number[]) => {
    const { strides } = tensor(near, shape)
    return tensor(far, shape, { strides: [apart, ...strides.slice(1)] })
  }
  const x = tensor(near, [2, 1, 4, 8])
  const nearMask = tensor(
    Uint8Array.of(...mask.subarray(0, 16), ...mask.subarray(apart)),
    [2, 1, 4, 4],
  )
  const farMask = tensor(mask, [2, 1, 4, 4], { strides: [apart, 16, 4, 1] })
  const { out } = scaledDotProductAttention(x, x, x, { mask: nearMask })
  const y = spread([2, 1, 4, 8])
  expect(scaledDotProductAttention(y, y, y, { mask: farMask }).out.data).toEqual(out.data)

  const weights = { weight: tensor(near.subarray(0, 9), [1, 1, 3, 3]) }
  const maps = conv2d(x, weights).out
  expect(conv2d(y, weights).out.data).toEqual(maps.data)
  const into = tensor(far, maps.shape, { strides: [apart, 12, 6, 1], offset: 32 })
  conv2d(x, weights, { into: { out: into } })
  const written = [...far.subarray(32, 44), ...far.subarray(apart + 32, apart + 44)]
  expect(written).toEqual([...maps.data])
})
