import { globalSubsampledAttention as reference } from '../reference/globalSubsampledAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

interface Sizes {
  readonly B?: number
  readonly height?: number
  readonly width?: number
  readonly r?: number
  readonly D?: number
  readonly heads?: number
}

function map(random: Random, given: Sizes = {}, params: object = {}): Inputs {
  const { B = random.integer(1, 3), r = random.integer(1, 4) } = given
  const { height = random.integer(r, r + 6), width = random.integer(r, r + 6) } = given
  const { D = random.integer(2, 12), heads = random.integer(1, 3) } = given
  const C = D * heads
  return {
    tensors: { x: random.tensor([B, height * width, C]) },
    weights: {
      'q.weight': random.tensor([C, C], C ** -0.5),
      'kv.weight': random.tensor([2 * C, C], C ** -0.5),
      ...(random.boolean()
        ? { 'q.bias': random.tensor([C]), 'kv.bias': random.tensor([2 * C]) }
        : {}),
      'proj.weight': random.tensor([C, C], C ** -0.5),
      'proj.bias': random.tensor([C]),
      ...(r > 1
        ? {
            'sr.weight': random.tensor([C, C, r, r], (C * r * r) ** -0.5),
            'sr.bias': random.tensor([C]),
            'norm.weight': random.tensor([C]),
            'norm.bias': random.tensor([C]),
          }
        : {}),
    },
    params: { heads, height, width, ...(random.boolean() ? { srRatio: r } : {}), ...params },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => map(random, { r: 2 }),
    'nothing reduced': random => map(random, { r: 1 }),
    'what fills no patch': random => map(random, { r: 3, height: 5, width: 10 }),
    'one key': random => map(random, { r: 4, height: 4, width: 4 }),
    'another eps': random => map(random, { r: 2 }, { normEps: 0.3 }),
    'no batch': random => map(random, { B: 0 }),
  },
  sizes: (n, random) => map(random, { B: 1, r: (n % 3) + 1, D: n + 1, heads: 1 }),
  large: {
    wide: random => map(random, { B: 2, height: 14, width: 14, r: 2, D: 32, heads: 3 }),
    // Patches deeper than a chunk of the product.
    deep: random => map(random, { B: 1, height: 20, width: 12, r: 4, D: 24, heads: 3 }),
    'nothing reduced': random => map(random, { B: 2, height: 16, width: 16, r: 1, D: 8, heads: 4 }),
  },
  seeds: { best: 4, others: 2 },
  tolerance: () => ({ rtol: 2e-5, atol: 1e-5 }),
  poison: ['x'],
  structure: ['x'],
  wrong: {
    'heads that do not divide': {
      params: { heads: 100 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'heads',
    },
    'a map of another size': ({ tensors }) => ({
      tensors: { x: float32([1, tensors.x!.shape[1]! + 1, tensors.x!.shape[2]!]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    }),
    'another ratio than the kernel has': {
      params: { srRatio: 7 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'srRatio',
    },
    'a map smaller than a patch': ({ tensors }) => ({
      tensors: { x: float32([1, 3, tensors.x!.shape[2]!]) },
      params: { height: 1, width: 3 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'height',
    }),
    'no bias of the kernel': {
      weights: { 'sr.bias': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.sr.bias',
    },
  },
})
