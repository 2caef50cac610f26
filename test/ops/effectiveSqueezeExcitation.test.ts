import { test } from 'vitest'
import { effectiveSqueezeExcitation as reference } from '../reference/effectiveSqueezeExcitation.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'
import { expectInPlace, expectScaled, layer, zeroed } from './shared/gateInputs.ts'

function excitation(
  random: Random,
  x: readonly number[] = [2, random.integer(1, 20), random.integer(1, 9), random.integer(1, 9)],
): Inputs {
  return {
    tensors: { x: random.tensor(x) },
    weights: layer(random, 'fc', [x[1]!, x[1]!, 1, 1], true),
    params: { gate: random.choose(['sigmoid', 'hardSigmoid', undefined]) },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => excitation(random, [2, 6, 3, 5]),
    any: random => excitation(random),
    'no entry': random => excitation(random, [0, 5, 2, 2]),
  },
  large: { 'several cached groups': random => excitation(random, [7, 20, 60, 50]) },
  seeds: { best: 3, others: 1 },
  wrong: {
    'a layer that is not square': {
      weights: { 'fc.weight': float32([6, 5, 1, 1]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.fc.weight',
    },
    'a layer of other channels': {
      weights: { 'fc.weight': float32([5, 5, 1, 1]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.fc.weight',
    },
    'no bias': {
      weights: { 'fc.bias': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.fc.bias',
    },
  },
  properties() {
    test.each(isas)('logits of zero halve x, also in place, %s', isa => {
      useIsa(isa)
      const inputs = excitation(new Random('gate'), [2, 6, 5, 7])
      const zero = zeroed(inputs, () => true)
      expectScaled(reference, { ...zero, params: {} }, 0.5)
      expectScaled(reference, { ...zero, params: { gate: 'sigmoid' } }, 0.5)
      expectInPlace(reference, inputs)
    })
  },
})
