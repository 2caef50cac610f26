import { twinsLsaBlock as reference } from '../reference/twinsLsaBlock.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import type { Inputs } from '../support/tensors.ts'

const padModes = ['zeros', 'exclude'] as const

function block(
  random: Random,
  [height, width]: readonly [number, number],
  windowSize: number,
  given: { B?: number; D?: number; heads?: number } = {},
): Inputs {
  const {
    B = random.integer(1, 2),
    D = random.integer(1, 12),
    heads = random.integer(1, 3),
  } = given
  const C = D * heads
  return {
    tensors: { x: random.tensor([B, height * width, C]) },
    weights: {
      'qkv.weight': random.tensor([3 * C, C], C ** -0.5),
      ...(random.boolean(0.7) ? { 'qkv.bias': random.tensor([3 * C]) } : {}),
      'proj.weight': random.tensor([C, C], C ** -0.5),
      'proj.bias': random.tensor([C]),
    },
    params: { heads, windowSize, height, width, padMode: random.choose(padModes) },
  }
}

describeOperation({
  reference,
  cases: {
    even: random => block(random, [6, 9], 3),
    uneven: random =>
      block(random, [random.integer(1, 13), random.integer(1, 13)], random.integer(2, 8)),
    'a window past the map': random => block(random, [2, 3], 5),
  },
  sizes: (n, random) => block(random, [3, (n % 5) + 2], 2, { B: 1, D: n, heads: 1 }),
  large: {
    'seven by seven': random => block(random, [28, 28], 7, { B: 1, D: 16, heads: 4 }),
    ragged: random => block(random, [30, 25], 7, { B: 1, D: 16, heads: 4 }),
    'many entries': random => block(random, [9, 9], 4, { B: 5, D: 16, heads: 4 }),
  },
  seeds: { best: 4, others: 2 },
  tolerance: () => ({ rtol: 2e-5, atol: 1e-5 }),
  wrong: {
    'heads that do not divide the width': {
      params: { heads: 997 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'heads',
    },
    'another number of tokens': {
      params: { height: 99 },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'windows of one token': {
      params: { windowSize: 1 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'windowSize',
    },
  },
})
