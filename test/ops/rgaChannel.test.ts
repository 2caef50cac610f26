import { expect, test } from 'vitest'
import { rgaChannel as reference } from '../reference/rgaChannel.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type RelationSizes, relationInputs } from '../support/relationInputs.ts'
import { float32, type Inputs } from '../support/tensors.ts'

const related = (random: Random, given?: RelationSizes): Inputs =>
  relationInputs(random, ['channel'], given)

describeOperation({
  reference,
  cases: {
    plain: random => related(random),
    'the least of everything': random => related(random, { C: 3, size: [1, 2], ratios: [2, 2, 2] }),
    'one position in a row': random => related(random, { size: [7, 1] }),
    'more embedded channels than a panel': random =>
      related(random, { B: 1, C: 9, size: [6, 11], ratios: [1, 1, 3] }),
  },
  sizes: (n, random) => related(random, { B: 1, C: n + 1, size: [2, 4] }),
  large: {
    wide: random => related(random, { B: 2, C: 64, size: [13, 9], ratios: [8, 8, 3] }),
    'one entry': random => related(random, { B: 1, C: 150, size: [8, 6], ratios: [4, 4, 2] }),
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
      argument: 'weights.theta_channel.0.weight',
    },
    'a misspelled weight': {
      weights: { 'gx_channel.0.weight': undefined, 'gx_channe.0.weight': float32([1]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.gx_channe.0.weight',
    },
    'a weight of the other half': {
      weights: { 'theta_spatial.0.weight': float32([1]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.theta_spatial.0.weight',
    },
    'a bias that the layers do not have': {
      weights: { 'gg_channel.0.bias': float32([1]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.gg_channel.0.bias',
    },
    'no norm': {
      weights: { 'W_channel.4.running_var': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.W_channel.4.running_var',
    },
  },
  properties() {
    test.each(isas)('logits of zero halve x, which may be overwritten, %s', isa => {
      useIsa(isa)
      const inputs = related(new Random('zero'))
      const { x } = inputs.tensors
      const half = x!.data.map(v => v / 2)
      const last = 'W_channel.4'
      const weights = {
        ...inputs.weights,
        [`${last}.weight`]: float32([1]),
        [`${last}.bias`]: float32([1]),
      }
      const { out } = operation('rgaChannel')(x, weights, { ...inputs.params, into: { out: x } })
      expect(out!.data).toEqual(half)
    })

    test.each(isas)('features in another order change nothing else, %s', isa => {
      useIsa(isa)
      const inputs = related(new Random('order'), { B: 1 })
      const { x } = inputs.tensors
      // x and the weights over its positions, both read backwards.
      const [, , H, W] = x!.shape as [number, number, number, number]
      const backwards = (data: ArrayLike<number>, columns: number): Float32Array =>
        Float32Array.from(
          data,
          (_, n) => data[Math.floor(n / columns) * columns + columns - 1 - (n % columns)]!,
        )
      const turned = { data: backwards(x!.data, H * W), shape: x!.shape }
      const weights = Object.fromEntries(
        Object.entries(inputs.weights).map(([name, weight]) => {
          if (!/^(theta|phi|gx)_channel.0/.test(name)) return [name, weight]
          const ins = weight.shape[1]!
          const data = Float32Array.from(weight.data, (_, n) => {
            const o = Math.floor(n / ins)
            return weight.data[o * ins + ins - 1 - (n % ins)]!
          })
          return [name, { data, shape: weight.shape }]
        }),
      )
      const got = call(reference, { ...inputs, tensors: { x: turned }, weights }).out!
      const want = backwards(call(reference, inputs).out!.data, H * W)
      for (const [n, value] of want.entries()) expect(got.data[n]).toBeCloseTo(value, 4)
    })
  },
})
