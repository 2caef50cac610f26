import { expect, test } from 'vitest'
import { kmeansAssign, tensor } from '../../lib/index.ts'
import { kmeansAssign as reference } from '../reference/kmeansAssign.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import type { Inputs } from '../support/tensors.ts'

const points = (random: Random, n: number, K: number, d: number): Inputs => ({
  tensors: { x: random.tensor([n, d]), centroids: random.tensor([K, d]) },
  weights: {},
  params: { metric: random.choose(['dot', 'euclidean']), normalize: random.boolean() },
})

describeOperation({
  reference,
  cases: {
    few: random =>
      points(random, random.integer(1, 20), random.integer(1, 20), random.integer(2, 30)),
    many: random =>
      points(random, random.integer(60, 200), random.integer(40, 130), random.integer(8, 40)),
    'one centroid': random => points(random, 9, 1, 5),
    'no row': random => points(random, 0, 3, 5),
  },
  sizes: (n, random) => points(random, 5, n, n),
  large: {
    long: random => points(random, 3000, 64, 32),
    wide: random => points(random, 500, 200, 64),
    'many centroids': random => points(random, 300, 1000, 24),
  },
  seeds: { best: 4, others: 2 },
  properties() {
    const centroids = tensor(Float32Array.of(0, 1, 1, 0, 0, 1, Number.NaN, 0), [4, 2])
    test.each(['dot', 'euclidean'] as const)(
      'the first of equal centroids, numbers before NaN, %s',
      metric => {
        const x = tensor(Float32Array.of(0, 5, 5, 0), [2, 2])
        expect([...kmeansAssign(x, centroids, { metric }).assignments.data]).toEqual([0, 1])
      },
    )
    test('a row without a number belongs to the first centroid, at no distance', () => {
      const x = tensor(Float32Array.of(Number.NaN, 1), [1, 2])
      const { assignments, distances } = kmeansAssign(x, centroids)
      expect([assignments.data[0], distances.data[0]]).toEqual([0, Number.NaN])
    })
    test('distances far from the origin keep their digits', () => {
      const x = tensor(Float32Array.of(4096.5, 0), [1, 2])
      const near = tensor(Float32Array.of(4097, 0, 4096.25, 0), [2, 2])
      const { assignments, distances } = kmeansAssign(x, near, { metric: 'euclidean' })
      expect([assignments.data[0], distances.data[0]]).toEqual([1, 0.25])
    })
  },
  wrong: {
    'another metric': {
      params: { metric: 'cosine' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'metric',
    },
    'no centroid': ({ tensors }) => ({
      tensors: { centroids: { data: new Float32Array(0), shape: [0, tensors.x!.shape[1]!] } },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'centroids',
    }),
  },
})
