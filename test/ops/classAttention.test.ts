import { classAttention as reference } from '../reference/classAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

interface Sizes {
  readonly B?: number
  readonly N?: number
  readonly D?: number
  readonly heads?: number
}

function tokens(random: Random, given: Sizes = {}): Inputs {
  const { B = random.integer(1, 3), N = random.integer(1, 60) } = given
  const { D = random.integer(1, 20), heads = random.integer(1, 4) } = given
  const C = D * heads
  const biases = ['q', 'k', 'v'].filter(() => random.boolean())
  return {
    tensors: { x: random.tensor([B, 1 + N, C]) },
    weights: {
      ...Object.fromEntries(
        ['q', 'k', 'v', 'proj'].map(name => [`${name}.weight`, random.tensor([C, C], C ** -0.5)]),
      ),
      ...Object.fromEntries([...biases, 'proj'].map(name => [`${name}.bias`, random.tensor([C])])),
    },
    params: { heads },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => tokens(random),
    'many heads': random => tokens(random, { heads: random.integer(9, 13), D: 3 }),
    'nobody else': random => tokens(random, { N: 0 }),
    'no batch': random => tokens(random, { B: 0 }),
  },
  sizes: (n, random) => tokens(random, { B: 1, N: (n % 7) + 1, D: n, heads: 1 }),
  large: {
    wide: random => tokens(random, { B: 2, N: 196, D: 32, heads: 6 }),
    // Two parts of keys, joined.
    long: random => tokens(random, { B: 1, N: 2300, D: 8, heads: 4 }),
    'many heads': random => tokens(random, { B: 3, N: 300, D: 8, heads: 12 }),
  },
  seeds: { best: 4, others: 2 },
  tolerance: () => ({ rtol: 2e-5, atol: 1e-5 }),
  poison: ['x'],
  wrong: {
    'heads that do not divide': {
      params: { heads: 100 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'heads',
    },
    'no class token': ({ tensors }) => ({
      tensors: { x: float32([1, 0, tensors.x!.shape[2]!]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    }),
  },
})
