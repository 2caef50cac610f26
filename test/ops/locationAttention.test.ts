import { locationAttention as reference } from '../reference/locationAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs, int32 } from '../support/tensors.ts'

interface Sizes {
  readonly B?: number
  readonly Lq?: number
  readonly Lk?: number
  readonly D?: number
}

function located(random: Random, given: Sizes = {}): Inputs {
  const { B = random.integer(1, 3), Lq = random.integer(1, 60), Lk = random.integer(1, 60) } = given
  const { D = random.integer(1, 20) } = given
  return {
    tensors: {
      query: random.tensor([B, Lq, D]),
      value: random.tensor([B, Lk, random.integer(1, 20)]),
      ...(random.boolean() ? { keyLengths: random.integers([B], 0, Lk) } : {}),
    },
    weights: { W: random.tensor([Lk + random.integer(0, 9) + Number(Lk === 0), D], D ** -0.5) },
    params: {},
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => located(random),
    'few queries': random => located(random, { Lq: random.integer(1, 8) }),
    'no position': random => located(random, { Lk: 0 }),
    'nobody to ask': random => located(random, { Lq: 0 }),
    'no batch': random => located(random, { B: 0 }),
  },
  sizes: (n, random) => located(random, { B: 1, Lq: (n % 11) + 1, Lk: n, D: n }),
  large: {
    long: random => located(random, { B: 2, Lq: 4, Lk: 2300, D: 16 }),
    wide: random => located(random, { B: 2, Lq: 200, Lk: 300, D: 40 }),
    many: random => located(random, { B: 12, Lq: 50, Lk: 90, D: 8 }),
  },
  seeds: { best: 5, others: 2 },
  tolerance: () => ({ rtol: 2e-5, atol: 1e-5 }),
  poison: ['query', 'value'],
  wrong: {
    'more values than positions': ({ tensors, weights }) => ({
      tensors: {
        value: float32(
          tensors.value!.shape.map((n, axis) => (axis === 1 ? weights.W!.shape[0]! + 1 : n)),
        ),
      },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.W',
    }),
    'a length past the values': ({ tensors }) => ({
      tensors: { keyLengths: int32(Array(tensors.value!.shape[0]!).fill(1000)) },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'keyLengths',
    }),
  },
})
