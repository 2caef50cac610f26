import { expect, test } from 'vitest'
import { bilinearAttention as reference } from '../reference/bilinearAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs } from '../support/tensors.ts'
import { normWeights } from './shared/normInputs.ts'

interface Sizes {
  readonly B?: number
  readonly C?: number
  readonly reduction?: number
  readonly size?: readonly [H: number, W: number]
  readonly kernel?: 'bilinear' | 'linear'
}

function attended(random: Random, given: Sizes = {}): Inputs {
  const { B = random.integer(1, 3), C = random.integer(4, 24), reduction = 3 } = given
  const { size = [random.integer(1, 6), random.integer(1, 9)], kernel = 'bilinear' } = given
  const m = Math.floor(C / reduction)
  const layer = (name: string, outs: number, ins: number): Record<string, Dense> => ({
    [`${name}.conv.conv.weight`]: random.tensor([outs, ins, 1, 1], ins ** -0.5),
    [`${name}.conv.conv.bias`]: random.tensor([outs], 0.3),
    ...normWeights(random, `${name}.conv.bn`, outs),
  })
  const [outer, inner, K] =
    kernel === 'bilinear'
      ? ['dimReduceLayer2', 'dimReduceLayer3', (m * (m + 1)) / 2]
      : ['dimIncreaseLayer2', 'dimIncreaseLayer1', m]
  return {
    tensors: { x: random.tensor([B, C, ...size]) },
    weights: {
      ...layer('dimReduceLayer1', m, C),
      ...layer(outer as string, C, K as number),
      ...layer(inner as string, C, K as number),
    },
    // The weights tell the rest.
    params: random.boolean() ? { kernel, reduction, bnEps: 1e-3 } : { kernel },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => attended(random, { C: 12 }),
    any: random => attended(random),
    linear: random => attended(random, { kernel: 'linear', C: 13 }),
    'one reduced channel': random => attended(random, { C: 16, reduction: 16 }),
    'one position': random => attended(random, { size: [1, 1] }),
    'no reduction': random => attended(random, { C: 20, reduction: 1, size: [3, 5] }),
  },
  sizes: (n, random) => attended(random, { B: 1, C: 6, size: [2, n] }),
  large: {
    plain: random => attended(random, { B: 3, C: 64, reduction: 8, size: [12, 11] }),
    'more products than fit at once': random =>
      attended(random, { B: 1, C: 72, reduction: 1, size: [9, 31] }),
    linear: random =>
      attended(random, { B: 2, C: 64, reduction: 4, size: [16, 17], kernel: 'linear' }),
  },
  seeds: { best: 4, others: 1 },
  tolerance: (_, { tensors: { x } }) => ({ rtol: 3e-5, atol: x!.shape[1]! > 60 ? 2e-5 : 8e-6 }),
  wrong: {
    'another reduction than the weights have': {
      params: { reduction: 5 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'reduction',
    },
    'a reduction that leaves nothing': {
      params: { reduction: 13 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'reduction',
    },
    'the kernel of other weights': {
      params: { kernel: 'linear' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'kernel',
    },
    'layers of both kernels': {
      weights: { 'dimIncreaseLayer1.conv.conv.weight': float32([12, 4, 1, 1]) },
      params: { kernel: undefined },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.dimReduceLayer2.conv.conv.weight',
    },
    'an inner layer for other products': {
      weights: { 'dimReduceLayer3.conv.conv.weight': float32([12, 9, 1, 1]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.dimReduceLayer3.conv.conv.weight',
    },
    'other channels': {
      tensors: { x: float32([1, 11, 3, 3]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.dimReduceLayer1.conv.conv.weight',
    },
    'no bias': {
      weights: { 'dimReduceLayer1.conv.conv.bias': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.dimReduceLayer1.conv.conv.bias',
    },
    'a misspelled norm': {
      weights: {
        'dimReduceLayer2.conv.bn.bias': undefined,
        'dimReduceLayer2.bn.bias': float32([12]),
      },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.dimReduceLayer2.bn.bias',
    },
  },
  properties() {
    test.each(isas)('logits of zero halve x, which may be overwritten, %s', isa => {
      useIsa(isa)
      const { tensors, weights } = attended(new Random('zero'), { C: 12 })
      const { x } = tensors
      const half = x!.data.map(v => v / 2)
      const zero = float32([12])
      const prefix = 'dimReduceLayer3.conv.bn'
      const given = { ...weights, [`${prefix}.weight`]: zero, [`${prefix}.bias`]: zero }
      const { out } = operation('bilinearAttention')(x, given, { into: { out: x } })
      expect(out!.data).toEqual(half)
    })

    test.each(isas)('the gate takes away a half at most, %s', isa => {
      useIsa(isa)
      const { attention } = call(reference, attended(new Random('gate')), {
        options: { outputs: ['attention'] },
      })
      expect(attention!.data.every(v => v >= 0.5 && v <= 1)).toBe(true)
    })

    test.each(isas)('products beyond what fits at once give the same bits, %s', isa => {
      useIsa(isa)
      // 2628 products of 279 positions: three slabs of rows. A few rows alone are one.
      const inputs = attended(new Random('slabs'), { B: 1, C: 72, reduction: 1, size: [9, 31] })
      const { weights } = inputs
      const r = 'dimReduceLayer3.conv.bn' // the means differ, so they must not count
      const given = { ...weights, [`${r}.weight`]: float32([72]), [`${r}.bias`]: float32([72], 1) }
      const { x } = inputs.tensors
      const rows = {
        data: x!.data,
        shape: [1, 72, 2, 31],
        strides: [72 * 279, 279, 31, 1],
        offset: 217,
      }
      const run = operation('bilinearAttention')
      const whole = run(x, given).out!
      const part = run(rows, given).out!
      const want = Array.from({ length: 72 * 62 }, (_, n) => {
        const [c, p] = [Math.floor(n / 62), n % 62]
        return whole.data[c * 279 + 217 + p]!
      })
      expect(Array.from(part.data)).toEqual(want)
    })
  },
})
