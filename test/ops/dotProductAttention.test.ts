import { dotProductAttention as reference } from '../reference/dotProductAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs, int32 } from '../support/tensors.ts'

interface Sizes {
  readonly B?: number
  readonly Lq?: number
  readonly Lk?: number
  readonly D?: number
  readonly Dv?: number
  readonly A?: number
}

function luong(
  random: Random,
  score: 'dot' | 'general' | 'concat',
  params: Inputs['params'] = {},
  given: Sizes = {},
): Inputs {
  const { B = random.integer(1, 3), Lq = random.integer(1, 60), Lk = random.integer(1, 60) } = given
  const { D = random.integer(1, 16), Dv = random.integer(1, 16), A = random.integer(1, 12) } = given
  const Dk = score === 'dot' ? D : random.integer(1, 16)
  const weights = {
    ...(score === 'general' && { W: random.tensor([D, Dk], D ** -0.5) }),
    ...(score === 'concat' && {
      W: random.tensor([A, D + Dk], (D + Dk) ** -0.5),
      v: random.tensor([A]),
    }),
    ...(params.local === 'predictive' && {
      Wp: random.tensor([A, D], D ** -0.5),
      vp: random.tensor([A], 0.7),
    }),
  }
  return {
    tensors: {
      query: random.tensor([B, Lq, D], D ** -0.25),
      key: random.tensor([B, Lk, Dk], D ** -0.25),
      value: random.tensor([B, Lk, Dv]),
    },
    weights,
    params: { score, ...params },
  }
}

function withLengths(random: Random, inputs: Inputs): Inputs {
  const [B, Lk] = inputs.tensors.key!.shape as [number, number]
  return { ...inputs, tensors: { ...inputs.tensors, keyLengths: random.integers([B], 0, Lk) } }
}

const around = (random: Random, local: string, least = 0): Inputs['params'] => ({
  local,
  localWindow: random.integer(least, 9),
  ...(local === 'monotonic' && { positionOffset: random.integer(0, 20) }),
})

describeOperation({
  reference,
  cases: {
    dot: random => withLengths(random, luong(random, 'dot')),
    general: random => withLengths(random, luong(random, 'general')),
    concat: random => withLengths(random, luong(random, 'concat')),
    'dot, monotonic': random => luong(random, 'dot', around(random, 'monotonic')),
    'concat, monotonic': random =>
      withLengths(random, luong(random, 'concat', around(random, 'monotonic'))),
    'dot, predictive': random => luong(random, 'dot', around(random, 'predictive', 1)),
    'general, predictive': random =>
      withLengths(random, luong(random, 'general', around(random, 'predictive', 1))),
    'concat, predictive': random => luong(random, 'concat', around(random, 'predictive', 1)),
    'no key': random => luong(random, 'concat', around(random, 'predictive', 1), { Lk: 0 }),
    'nobody to ask': random => luong(random, 'general', {}, { Lq: 0 }),
    'no batch': random => luong(random, 'dot', around(random, 'predictive', 1), { B: 0 }),
  },
  sizes: (n, random) => luong(random, 'general', {}, { B: 1, Lq: (n % 11) + 1, Lk: n, D: n }),
  large: {
    'dot, predictive': random =>
      luong(random, 'dot', { local: 'predictive', localWindow: 30 }, { B: 2, Lq: 150, Lk: 500 }),
    'general, monotonic': random =>
      luong(
        random,
        'general',
        { local: 'monotonic', localWindow: 50 },
        { Lq: 400, Lk: 600, D: 32 },
      ),
    'concat, monotonic': random =>
      luong(
        random,
        'concat',
        { local: 'monotonic', localWindow: 40, positionOffset: 1850 },
        { B: 2, Lq: 120, Lk: 2100 },
      ),
  },
  seeds: { best: 5, others: 2 },
  tolerance: () => ({ rtol: 3e-5, atol: 1e-5 }),
  poison: ['query', 'key', 'value'],
  wrong: {
    'keys of another size': ({ tensors }) => ({
      tensors: { key: float32(tensors.key!.shape.map((n, axis) => (axis === 2 ? n + 1 : n))) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'key',
    }),
    'no weight of general': {
      params: { score: 'general' },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.W',
    },
    'a predicted window of one key': ({ tensors }) => ({
      params: { local: 'predictive' },
      weights: { Wp: float32([3, tensors.query!.shape[2]!]), vp: float32([3]) },
      code: 'ERR_FOVEA_OPTION',
      argument: 'localWindow',
    }),
    'a score there is none of': {
      params: { score: 'cosine' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'score',
    },
    'a length past the keys': ({ tensors }) => ({
      tensors: { keyLengths: int32(Array(tensors.key!.shape[0]!).fill(1000)) },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'keyLengths',
    }),
  },
})
