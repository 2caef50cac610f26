// Scratch is bounded and stated: nothing grows as Lq x Lk, and what a call takes beyond its tensors stays
// under a few megabytes a thread, threads and their stacks included.
import { expect, test } from 'vitest'
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
