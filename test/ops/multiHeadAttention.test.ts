import { multiHeadAttention as reference } from '../reference/multiHeadAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs, int32 } from '../support/tensors.ts'

interface Sizes {
  readonly B?: number
  readonly Lq?: number
  readonly Lk?: number
  readonly D?: number
  readonly heads?: number
}

function projected(random: Random, given: Sizes = {}, params: object = {}): Inputs {
  const { B = random.integer(1, 3), Lq = random.integer(1, 40), Lk = random.integer(1, 60) } = given
  const { D = random.integer(1, 20), heads = random.integer(1, 4) } = given
  const E = D * heads
  const bias = random.boolean()
  return {
    tensors: {
      query: random.tensor([B, Lq, E]),
      key: random.tensor([B, Lk, E]),
      value: random.tensor([B, Lk, E]),
    },
    weights: {
      in_proj_weight: random.tensor([3 * E, E], E ** -0.5),
      'out_proj.weight': random.tensor([E, E], E ** -0.5),
      ...(bias
        ? { in_proj_bias: random.tensor([3 * E]), 'out_proj.bias': random.tensor([E]) }
        : {}),
    },
    params: { heads, ...params },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => projected(random),
    causal: random => projected(random, {}, { causal: true }),
    lengths: random => {
      const inputs = projected(random)
      const [B, Lk] = inputs.tensors.key!.shape as [number, number]
      return {
        ...inputs,
        tensors: { ...inputs.tensors, keyLengths: random.integers([B], 1, Lk) },
      }
    },
    'one query': random => projected(random, { Lq: 1 }),
    'nobody to ask': random => projected(random, { Lq: 0 }),
    'no batch': random => projected(random, { B: 0 }),
  },
  sizes: (n, random) => projected(random, { B: 1, Lq: (n % 5) + 1, Lk: n, D: n, heads: 1 }),
  large: {
    wide: random => projected(random, { B: 2, Lq: 60, Lk: 60, D: 32, heads: 6 }),
    causal: random =>
      projected(random, { B: 1, Lq: 200, Lk: 200, D: 16, heads: 4 }, { causal: true }),
    'a short memory': random => projected(random, { B: 4, Lq: 120, Lk: 33, D: 24, heads: 3 }),
  },
  seeds: { best: 4, others: 2 },
  tolerance: () => ({ rtol: 2e-5, atol: 1e-5 }),
  wrong: {
    'heads that do not divide': {
      params: { heads: 100 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'heads',
    },
    'a length of none': ({ tensors }) => ({
      tensors: { keyLengths: int32(Array(tensors.key!.shape[0]!).fill(0)) },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'keyLengths',
    }),
    'keys of another width': ({ tensors }) => ({
      tensors: { key: float32(tensors.key!.shape.map((n, axis) => (axis === 2 ? n + 1 : n))) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'key',
    }),
  },
})
