import { expect, test } from 'vitest'
import { kmeansUpdate, tensor } from '../../lib/index.ts'
import { kmeansUpdate as reference } from '../reference/kmeansUpdate.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { type Inputs, int32 } from '../support/tensors.ts'

function step(
  random: Random,
  L: number,
  K: number,
  D: number,
  given: { B?: number; assigned?: boolean } = {},
): Inputs {
  const { B = random.integer(1, 3), assigned = random.boolean() } = given
  const H = random.integer(1, 3)
  return {
    tensors: {
      x: random.tensor([B, H, L, D]),
      centroids: random.tensor([H, K, D]),
      ...(assigned ? { assignments: random.integers([B, H, L], 0, K - 1) } : {}),
    },
    weights: {},
    params: { decay: random.choose([0, 0.5, 0.999, 1]) },
  }
}

describeOperation({
  reference,
  cases: {
    nearest: random =>
      step(random, random.integer(1, 60), random.integer(1, 12), random.integer(4, 30), {
        assigned: false,
      }),
    given: random =>
      step(random, random.integer(1, 60), random.integer(1, 12), random.integer(1, 30), {
        assigned: true,
      }),
    'more centroids than tokens': random => step(random, 5, 70, 9),
    'no token': random => step(random, 0, 3, 4),
  },
  sizes: (n, random) => step(random, 7, 3, n, { B: 1, assigned: true }),
  large: {
    long: random => step(random, 1500, 32, 32, { B: 1 }),
    'many entries': random => step(random, 300, 16, 16, { B: 4, assigned: false }),
    'many centroids': random => step(random, 400, 100, 24),
  },
  seeds: { best: 4, others: 2 },
  properties() {
    test('all that is kept is what was there', () => {
      const old = tensor(Float32Array.of(1, 2, 3, 4), [1, 2, 2])
      const x = tensor(Float32Array.of(5, 6), [1, 1, 1, 2])
      expect([...kmeansUpdate(x, old, { decay: 1 }).centroids.data]).toEqual([1, 2, 3, 4])
    })
  },
  wrong: {
    'a decay above one': {
      params: { decay: 1.5 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'decay',
    },
    'an assignment past the centroids': ({ tensors }) => {
      const [B, H, L] = tensors.x!.shape as [number, number, number]
      const { data } = int32(Array(B * H * L).fill(tensors.centroids!.shape[1]!))
      return {
        tensors: { assignments: { data, shape: [B, H, L] } },
        code: 'ERR_FOVEA_BOUNDS',
        argument: 'assignments',
      }
    },
  },
})
