import { expect, test } from 'vitest'
import { rgaModule as reference } from '../reference/rgaModule.ts'
import { expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'
import { type RelationSizes, relationInputs } from './shared/relationInputs.ts'

const both = ['spatial', 'channel'] as const
const whole = (random: Random, given?: RelationSizes): Inputs => relationInputs(random, both, given)

function without(random: Random, off: 'useSpatial' | 'useChannel'): Inputs {
  const inputs = relationInputs(random, [off === 'useSpatial' ? 'channel' : 'spatial'])
  return { ...inputs, params: { ...inputs.params, [off]: false } }
}

describeOperation({
  reference,
  cases: {
    plain: random => whole(random),
    'positions alone': random => without(random, 'useChannel'),
    'channels alone': random => without(random, 'useSpatial'),
  },
  sizes: (n, random) => whole(random, { B: 1, C: n + 1, size: [2, 3] }),
  large: {
    plain: random => whole(random, { B: 3, C: 64, size: [13, 9], ratios: [8, 8, 3] }),
  },
  seeds: { best: 4, others: 1 },
  tolerance: () => ({ rtol: 4e-5, atol: 8e-6 }),
  wrong: {
    'neither half': {
      params: { useSpatial: false, useChannel: false },
      code: 'ERR_FOVEA_OPTION',
      argument: 'useChannel',
    },
    'the attention of a half that does not run': {
      params: { useChannel: false, outputs: ['channelAttention'] },
      code: 'ERR_FOVEA_OUTPUT',
      argument: 'outputs',
    },
    'no weights of a half': {
      weights: { 'theta_channel.0.weight': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.theta_channel.0.weight',
    },
  },
  properties() {
    const inputs = whole(new Random('rgaModule'), { B: 2 })

    test.each(isas)('is the spatial half, then the channel half, %s', isa => {
      useIsa(isa)
      const { x } = inputs.tensors
      const of = (half: string): Record<string, unknown> =>
        Object.fromEntries(
          Object.entries(inputs.weights).filter(([name]) => name.includes(`_${half}.`)),
        )
      const { out: first } = operation('rgaSpatial')(x, of('spatial'), inputs.params)
      const { out: second } = operation('rgaChannel')(first, of('channel'), inputs.params)
      const { out } = call(reference, inputs)
      for (const [n, value] of second!.data.entries()) expect(out!.data[n]).toBeCloseTo(value, 5)
    })

    test.each(isas)('the weights of a half that is off mean nothing, %s', isa => {
      useIsa(isa)
      const params = { ...inputs.params, useChannel: false }
      const weights = { ...inputs.weights, 'gx_channel.0.weight': float32([3], Number.NaN) }
      const { x } = inputs.tensors
      const { out } = operation('rgaModule')(x, weights, params)
      const spatial = Object.fromEntries(
        Object.entries(inputs.weights).filter(([name]) => name.includes('_spatial.')),
      )
      expectSameBits(out!, operation('rgaModule')(x, spatial, params).out!)
      const into = { out: x }
      expectSameBits(out!, operation('rgaModule')(x, weights, { ...params, into }).out!)
    })
  },
})
