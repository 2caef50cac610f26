import { xcaBlock as reference } from '../reference/xcaBlock.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import type { Inputs } from '../support/tensors.ts'

function block(
  random: Random,
  given: { B?: number; N?: number; D?: number; heads?: number } = {},
): Inputs {
  const { B = random.integer(1, 3), N = random.integer(1, 60) } = given
  const { D = random.integer(1, 20), heads = random.integer(1, 4) } = given
  const C = D * heads
  return {
    tensors: { x: random.tensor([B, N, C]) },
    weights: {
      temperature: random.tensor([heads, 1, 1], 2),
      'qkv.weight': random.tensor([3 * C, C], C ** -0.5),
      ...(random.boolean() ? { 'qkv.bias': random.tensor([3 * C]) } : {}),
      'proj.weight': random.tensor([C, C], C ** -0.5),
      'proj.bias': random.tensor([C]),
    },
    params: random.boolean() ? { heads } : {},
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => block(random),
    'one token': random => block(random, { N: 1 }),
    'no token': random => block(random, { N: 0 }),
  },
  sizes: (n, random) => block(random, { B: 1, N: (n % 7) + 2, D: n, heads: 1 }),
  large: {
    wide: random => block(random, { B: 2, N: 196, D: 24, heads: 4 }),
    long: random => block(random, { B: 1, N: 900, D: 16, heads: 2 }),
    'many heads': random => block(random, { B: 2, N: 100, D: 8, heads: 12 }),
  },
  seeds: { best: 4, others: 2 },
  tolerance: () => ({ rtol: 2e-5, atol: 1e-5 }),
  wrong: {
    'other heads than the temperature has': {
      params: { heads: 99 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'heads',
    },
  },
})
