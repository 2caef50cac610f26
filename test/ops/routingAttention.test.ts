import { expect, test } from 'vitest'
import { routingAttention, tensor } from '../../lib/index.ts'
import { routingAttention as reference } from '../reference/routingAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import type { Inputs } from '../support/tensors.ts'

interface Given {
  readonly B?: number
  readonly H?: number
  readonly D?: number
  readonly params?: object
}

function routed(
  random: Random,
  L: number,
  clusters: number,
  windowSize: number,
  given: Given = {},
): Inputs {
  const { B = random.integer(1, 2), H = random.integer(1, 3), D = random.integer(3, 24) } = given
  const Dv = random.boolean() ? D : random.integer(1, 24)
  const params = {
    windowSize,
    causal: random.boolean(),
    sharedQK: random.boolean(0.4),
    normalization: random.choose(['l2', 'layer']),
    meanEps: random.choose([0, 1e-5, 1e-2]),
    ...(random.boolean()
      ? { attendWith: random.choose(['raw', 'normalizedKeys', 'normalized']) }
      : {}),
    ...(random.boolean() ? { maskSelf: random.boolean() } : {}),
    ...(random.boolean() ? { clusters } : {}),
    ...given.params,
  }
  const head = (size: number) => random.tensor([B, H, L, size])
  return {
    tensors: {
      query: head(D),
      ...(params.sharedQK ? {} : { key: head(D) }),
      value: head(Dv),
      centroids: random.tensor([H, clusters, D]),
    },
    weights: {},
    params,
  }
}

const unshared = { params: { sharedQK: false } }

describeOperation({
  reference,
  cases: {
    separate: random =>
      routed(random, random.integer(1, 60), random.integer(1, 6), random.integer(1, 20), unshared),
    shared: random =>
      routed(random, random.integer(1, 60), random.integer(1, 6), random.integer(1, 20), {
        params: { sharedQK: true },
      }),
    'many queries a cluster': random => routed(random, 120, 3, random.integer(50, 130)),
    'all tokens': random => routed(random, 30, 2, 30),
    'one token a cluster': random => routed(random, 20, 4, 1),
    'more clusters than tokens': random => routed(random, 5, 9, 3),
    'no token': random => routed(random, 0, 2, 3),
  },
  sizes: (n, random) => routed(random, 12, 3, 5, { B: 1, H: 1, D: n + 2 }),
  large: {
    long: random => routed(random, 1024, 16, 64, { B: 1, H: 2, D: 32 }),
    shared: random =>
      routed(random, 700, 10, 80, { B: 1, H: 2, D: 32, params: { sharedQK: true } }),
    'many heads': random => routed(random, 300, 8, 40, { B: 2, H: 6, D: 16 }),
  },
  // Which token a NaN lets in instead is the business of the reference alone.
  poison: ['value'],
  // Repeated tokens tie, and tokens that tie but for the last digit may be chosen either way.
  structure: [],
  seeds: { best: 4, others: 2 },
  properties() {
    test('of equal tokens the earlier are chosen, a NaN after every number', () => {
      const x = tensor(Float32Array.of(Number.NaN, 1, 1, 1), [1, 1, 4, 1])
      const value = tensor(Float32Array.of(10, 20, 30, 40), [1, 1, 4, 1])
      const centroids = tensor(Float32Array.of(1), [1, 1, 1])
      const { out } = routingAttention(x, x, value, centroids, { windowSize: 2, meanEps: 0 })
      expect([...out.data]).toEqual([0, 25, 25, 0])
    })
  },
  wrong: {
    'other clusters than there are centroids': {
      params: { clusters: 99 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'clusters',
    },
    'a window of nothing': {
      params: { windowSize: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'windowSize',
    },
    'keys beside shared queries': {
      params: { sharedQK: true },
      code: 'ERR_FOVEA_TYPE',
      argument: 'key',
    },
    'no keys': { tensors: { key: null }, code: 'ERR_FOVEA_TYPE', argument: 'key' },
  },
})
