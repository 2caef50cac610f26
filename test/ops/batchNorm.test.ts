import { expect, test } from 'vitest'
import { batchNorm as reference } from '../reference/batchNorm.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs } from '../support/tensors.ts'

/** Statistics and, unless told otherwise, an affine part; some of its weights are negative. */
function norm(random: Random, shape: readonly number[], affine = true, shift = 0): Inputs {
  const channels = shape[1]!
  const weights: Record<string, Dense> = {
    running_mean: random.tensor([channels], 1, shift),
    running_var: float32([channels], () => 0.1 + 2 * random.next()),
  }
  if (affine) {
    weights.weight = random.tensor([channels])
    weights.bias = random.tensor([channels])
  }
  return { tensors: { x: random.tensor(shape, 1, shift) }, weights, params: {} }
}

describeOperation({
  reference,
  cases: {
    'two axes': random => norm(random, [random.integer(1, 5), random.integer(1, 40)]),
    'four axes': random => norm(random, [2, random.integer(1, 9), 5, 7]),
    'five axes': random => norm(random, [2, 3, 4, 2, 9]),
    'neither weight nor bias': random => norm(random, [3, 4, 3, 3], false),
    'a mean far above the deviation': random => norm(random, [2, 5, 4, 6], true, 3000),
    'another eps': random => ({ ...norm(random, [2, 3, 2, 11]), params: { eps: 0.1 } }),
    'one position': random => norm(random, [3, 17, 1, 1]),
  },
  sizes: (n, random) => norm(random, [2, 3, 2, n]),
  large: {
    'many positions': random => norm(random, [3, 20, 61, 53]),
    'many channels': random => norm(random, [150, 400]),
  },
  tolerance: (_, { tensors: { x } }) => ({
    rtol: 2e-5,
    // float32 numbers around 3000 are 2.4e-4 apart: the difference from the mean is exact, x is not.
    atol: x!.data.some(value => value > 1000) ? 1e-5 : 4e-6,
  }),
  wrong: {
    'three axes': ({ tensors: { x } }) => ({
      tensors: { x: float32([2, x!.shape[1]!, 4]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    }),
    'no eps': { params: { eps: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'eps' },
    'a weight without its bias': {
      weights: { bias: undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.bias',
    },
    'no mean': {
      weights: { running_mean: undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.running_mean',
    },
    'a misspelled variance': {
      weights: { running_var: undefined, runing_var: float32([4]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.runing_var',
    },
    'statistics of other channels': {
      weights: { running_mean: float32([99]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.running_mean',
    },
  },
  properties() {
    test.each(isas)('x may be overwritten, and a counter be there, %s', isa => {
      useIsa(isa)
      const inputs = norm(new Random('batchNorm'), [2, 3, 5, 19])
      const want = call(reference, inputs).out!
      const { x } = inputs.tensors
      const weights = { ...inputs.weights, num_batches_tracked: float32([1]) }
      const { out } = operation('batchNorm')(x, weights, { into: { out: x } })
      expect(out).toBe(x)
      expect(x!.data).toEqual(want.data)
    })
  },
})
