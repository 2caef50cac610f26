import { expect, test } from 'vitest'
import { rgaSpatial as reference } from '../reference/rgaSpatial.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type RelationSizes, relationInputs } from '../support/relationInputs.ts'
import { float32, type Inputs } from '../support/tensors.ts'

const related = (random: Random, given?: RelationSizes): Inputs =>
  relationInputs(random, ['spatial'], given)

describeOperation({
  reference,
  cases: {
    plain: random => related(random),
    'the least of everything': random => related(random, { C: 2, size: [1, 3], ratios: [2, 2, 2] }),
    'one position in a row': random => related(random, { size: [7, 1] }),
    'more embedded channels than a panel': random =>
      related(random, { B: 1, C: 70, size: [3, 4], ratios: [1, 1, 3] }),
  },
  sizes: (n, random) => related(random, { B: 1, C: 5, size: [2, n + 1] }),
  large: {
    wide: random => related(random, { B: 2, C: 64, size: [13, 9], ratios: [8, 8, 3] }),
    'one entry': random => related(random, { B: 1, C: 48, size: [11, 13], ratios: [4, 4, 2] }),
    many: random => related(random, { B: 5, C: 32, size: [8, 8], ratios: [8, 8, 2] }),
  },
  seeds: { best: 4, others: 1 },
  wrong: {
    'a ratio that leaves no channel': {
      params: { chaRatio: 99 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'chaRatio',
    },
    'a ratio that leaves no position': {
      params: { spaRatio: 999 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'spaRatio',
    },
    'a ratio that leaves no layer between': {
      params: { downRatio: 99 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'downRatio',
    },
    'a map of another size': {
      tensors: { x: float32([1, 2, 99, 3]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.theta_spatial.0.weight',
    },
    'a misspelled weight': {
      weights: { 'gx_spatial.0.weight': undefined, 'gx_spatia.0.weight': float32([1]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.gx_spatia.0.weight',
    },
    'a weight of the other half': {
      weights: { 'theta_channel.0.weight': float32([1]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.theta_channel.0.weight',
    },
    'a bias that the layers do not have': {
      weights: { 'gg_spatial.0.bias': float32([1]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.gg_spatial.0.bias',
    },
    'no norm': {
      weights: { 'W_spatial.4.running_var': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.W_spatial.4.running_var',
    },
  },
  properties() {
    test.each(isas)('logits of zero halve x, which may be overwritten, %s', isa => {
      useIsa(isa)
      const inputs = related(new Random('zero'))
      const { x } = inputs.tensors
      const half = x!.data.map(v => v / 2)
      const last = 'W_spatial.4'
      const weights = {
        ...inputs.weights,
        [`${last}.weight`]: float32([1]),
        [`${last}.bias`]: float32([1]),
      }
      const { out } = operation('rgaSpatial')(x, weights, { ...inputs.params, into: { out: x } })
      expect(out!.data).toEqual(half)
    })

    test.each(isas)('features in another order change nothing else, %s', isa => {
      useIsa(isa)
      const inputs = related(new Random('order'), { B: 1 })
      const { x } = inputs.tensors
      // x and the weights over its channels, both read backwards.
      const [, C, H, W] = x!.shape as [number, number, number, number]
      const backwards = (data: ArrayLike<number>, rows: number, columns: number): Float32Array =>
        Float32Array.from(
          data,
          (_, n) => data[(rows - 1 - Math.floor(n / columns)) * columns + (n % columns)]!,
        )
      const turned = { data: backwards(x!.data, C, H * W), shape: x!.shape }
      const weights = Object.fromEntries(
        Object.entries(inputs.weights).map(([name, weight]) => {
          if (!/^(theta|phi|gx)_spatial.0/.test(name)) return [name, weight]
          const ins = weight.shape[1]!
          const data = Float32Array.from(weight.data, (_, n) => {
            const o = Math.floor(n / ins)
            return weight.data[o * ins + ins - 1 - (n % ins)]!
          })
          return [name, { data, shape: weight.shape }]
        }),
      )
      const got = call(reference, { ...inputs, tensors: { x: turned }, weights }).out!
      const want = backwards(call(reference, inputs).out!.data, C, H * W)
      for (const [n, value] of want.entries()) expect(got.data[n]).toBeCloseTo(value, 4)
    })
  },
})
