import { expect, test } from 'vitest'
import { attentionGate as reference } from '../reference/attentionGate.ts'
import { expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs, sizeOf } from '../support/tensors.ts'
import { layer, zeroed } from './shared/gateInputs.ts'
import { normWeights } from './shared/normInputs.ts'

interface Shape {
  readonly x: readonly number[]
  readonly gating: readonly number[]
  readonly inner?: number
  readonly kernel?: readonly number[]
  readonly mode?: string
  readonly alignCorners?: boolean
}

function gate(random: Random, shape: Shape): Inputs {
  const { x, gating, inner = 3, mode, alignCorners } = shape
  const { kernel = x.slice(2).map(() => 2) } = shape
  const one = kernel.map(() => 1)
  const [C, G] = [x[1]!, gating[1]!]
  return {
    tensors: { x: random.tensor(x), gating: random.tensor(gating) },
    weights: {
      ...layer(random, 'theta', [inner, C, ...kernel], false),
      ...layer(random, 'phi', [inner, G, ...one], true),
      ...layer(random, 'psi', [1, inner, ...one], true),
      ...layer(random, 'W.0', [C, C, ...one], true),
      ...normWeights(random, 'W.1', C),
    },
    params: { mode, alignCorners },
  }
}

function anyGate(random: Random): Inputs {
  const each = (of: () => number): number[] => Array.from({ length: random.choose([2, 3]) }, of)
  const kernel = each(() => random.integer(1, 3))
  const batch = random.integer(1, 3)
  return gate(random, {
    x: [batch, random.integer(1, 9), ...kernel.map(k => k + random.integer(0, 8))],
    gating: [batch, random.integer(1, 9), ...kernel.map(() => random.integer(1, 9))],
    inner: random.integer(1, 9),
    kernel,
    mode: random.choose(['concatenation', 'concatenation_debug', 'concatenation_residual']),
    alignCorners: random.boolean(),
  })
}

describeOperation({
  reference,
  cases: {
    plain: random => gate(random, { x: [2, 4, 7, 8], gating: [2, 5, 3, 2] }),
    any: anyGate,
    'sizes that agree': random =>
      gate(random, { x: [2, 3, 5, 4], gating: [2, 4, 5, 4], kernel: [1, 1] }),
    'gating larger than x': random => gate(random, { x: [1, 3, 4, 4], gating: [1, 2, 9, 7] }),
    'three axes': random =>
      gate(random, { x: [1, 2, 5, 4, 3], gating: [1, 3, 2, 2, 2], kernel: [2, 1, 2] }),
    'a grid of one cell': random =>
      gate(random, { x: [2, 3, 3, 2], gating: [2, 3, 1, 1], kernel: [3, 2] }),
    'no entry': random => gate(random, { x: [0, 3, 4, 4], gating: [0, 2, 2, 2] }),
  },
  large: {
    'several groups of entries': random =>
      gate(random, { x: [5, 24, 60, 50], gating: [5, 12, 30, 25], inner: 4 }),
  },
  seeds: { best: 4, others: 2 },
  wrong: {
    'another sub-sampling than the kernel': {
      params: { subSample: 3 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'subSample',
    },
    'one sub-sampling too many': {
      params: { subSample: [2, 2, 2] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'subSample',
    },
    'a map smaller than the kernel': {
      tensors: { x: float32([2, 4, 7, 1]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'gating of other axes': {
      tensors: { gating: float32([2, 5, 3, 2, 2]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'gating',
    },
    'gating of another batch': {
      tensors: { gating: float32([1, 5, 3, 2]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'gating',
    },
    'a kernel of other axes': {
      weights: { 'theta.weight': float32([3, 4, 2, 2, 2]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.phi.weight',
    },
    'an empty kernel': {
      weights: { 'theta.weight': float32([3, 4, 2, 0]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.theta.weight',
    },
    'a bias that theta does not have': {
      weights: { 'theta.bias': float32([3]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.theta.bias',
    },
    'a norm without its variance': {
      weights: { 'W.1.running_var': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.W.1.running_var',
    },
    'another mode': { params: { mode: 'add' }, code: 'ERR_FOVEA_OPTION', argument: 'mode' },
    'no eps': { params: { bnEps: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'bnEps' },
  },
  properties() {
    const inputs = (mode: string): Inputs =>
      gate(new Random('gate'), { x: [2, 4, 7, 9], gating: [2, 5, 3, 4], mode })
    const options = { options: { outputs: ['attention'] } }

    test.each(isas)('logits of zero attend to every position by half, or alike, %s', isa => {
      useIsa(isa)
      for (const [mode, share] of [
        ['concatenation', 0.5],
        ['concatenation_debug', 0.5],
        ['concatenation_residual', 1 / 12],
      ] as const) {
        const zero = zeroed(inputs(mode), name => name.startsWith('psi'))
        const { attention } = call(reference, zero, options)
        for (const value of attention!.data) expect(value).toBeCloseTo(share, 6)
      }
    })

    test.each(isas)('gating of one value each, of any size, is the same gating, %s', isa => {
      useIsa(isa)
      const { tensors, weights, params } = inputs('concatenation')
      const flat = (size: readonly number[]): Inputs => {
        const gating = float32([2, 5, ...size], n => Math.floor(n / sizeOf(size)) % 5)
        return { tensors: { x: tensors.x!, gating }, weights, params }
      }
      const want = call(reference, flat([1, 1]), options)
      const got = call(reference, flat([3, 4]), options) // the size of the grid
      expectSameBits(got.attention!, want.attention!)
      expectSameBits(got.out!, want.out!)
    })
  },
})
