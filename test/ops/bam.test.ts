import { test } from 'vitest'
import { bam as reference } from '../reference/bam.ts'
import { expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs } from '../support/tensors.ts'
import { expectInPlace, expectScaled, layer, zeroed } from './shared/gateInputs.ts'
import { normWeights } from './shared/normInputs.ts'

interface Shape {
  readonly x: readonly number[]
  readonly R?: number
  readonly layers?: number
  readonly convs?: number
  readonly fightingcv?: boolean
  readonly params?: Readonly<Record<string, unknown>>
}

function block(random: Random, shape: Shape): Inputs {
  const { x, R = 2, fightingcv = false, params = {} } = shape
  const { layers = fightingcv ? 3 : 1, convs = fightingcv ? 3 : 2 } = shape
  const C = x[1]!
  const [c, s] = fightingcv ? ['ca.ca.', 'sa.sa.'] : ['channel_att.gate_c.', 'spatial_att.gate_s.']
  const weights: Record<string, Dense> = {}
  const hidden = (fc: string, bn: string, kernel: readonly number[]): void => {
    Object.assign(weights, layer(random, fc, kernel, true), normWeights(random, bn, kernel[0]!))
  }
  for (let i = 0; i < layers; i++) {
    const [fc, bn] = fightingcv ? [`fc${i}`, `bn${i}`] : [`gate_c_fc_${i}`, `gate_c_bn_${i + 1}`]
    hidden(c + fc, c + bn, [R, i === 0 ? C : R])
  }
  const lastFc = c + (fightingcv ? 'last_fc' : 'gate_c_fc_final')
  Object.assign(weights, layer(random, lastFc, [C, layers === 0 ? C : R], true))
  const [reduce, bn] = fightingcv
    ? ['conv_reduce1', 'bn_reduce1']
    : ['gate_s_conv_reduce0', 'gate_s_bn_reduce0']
  hidden(s + reduce, s + bn, [R, C, 1, 1])
  for (let i = 0; i < convs; i++) {
    const of = (kind: string): string => (fightingcv ? `${kind}_${i}` : `gate_s_${kind}_di_${i}`)
    hidden(s + of('conv'), s + of('bn'), [R, R, 3, 3])
  }
  const lastConv = s + (fightingcv ? 'last_conv' : 'gate_s_conv_final')
  Object.assign(weights, layer(random, lastConv, [1, R, 1, 1], true))
  const variant = fightingcv ? { variant: 'fightingcv' } : {}
  const counts = {
    ...(shape.layers === undefined ? {} : { numLayers: layers }),
    ...(shape.convs === undefined ? {} : { numDilatedConvs: convs }),
  }
  return { tensors: { x: random.tensor(x) }, weights, params: { ...variant, ...counts, ...params } }
}

const final = /gate_c_fc_final|gate_s_conv_final|last_fc|last_conv/

describeOperation({
  reference,
  cases: {
    plain: random => block(random, { x: [2, 6, 7, 9] }),
    any: random => {
      const params = { dilation: random.integer(1, 5), combine: random.choose(['add', 'multiply']) }
      return block(random, {
        x: [random.integer(1, 3), 12, random.integer(1, 12), random.integer(1, 12)],
        R: random.choose([1, 3, 6, 12]),
        layers: random.integer(0, 3),
        convs: random.integer(0, 3),
        params,
      })
    },
    'one value for all positions': random => block(random, { x: [2, 6, 7, 7], fightingcv: true }),
    'fightingcv, every position': random =>
      block(random, { x: [1, 6, 5, 8], fightingcv: true, params: { dilation: 1 } }),
    'no hidden layers': random => block(random, { x: [2, 4, 3, 5], layers: 0, convs: 0 }),
    'one position': random => block(random, { x: [2, 4, 1, 1] }),
    'no entry': random => block(random, { x: [0, 4, 2, 2] }),
  },
  large: {
    'several groups of entries': random => block(random, { x: [5, 24, 60, 50], R: 4 }),
  },
  seeds: { best: 3, others: 1 },
  wrong: {
    'another variant than the names are of': {
      params: { variant: 'fightingcv' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'variant',
    },
    'another number of layers': {
      params: { numLayers: 2 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'numLayers',
    },
    'another number of convolutions': {
      params: { numDilatedConvs: 3 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'numDilatedConvs',
    },
    'a reduction that the weights contradict': {
      params: { reduction: 2 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'reduction',
    },
    'padding that shrinks the map': {
      params: { padding: 3 },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'a layer missing between others': {
      weights: { 'spatial_att.gate_s.gate_s_conv_di_0.weight': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.spatial_att.gate_s.gate_s_conv_di_0.weight',
    },
    'the only hidden layer missing': {
      weights: { 'channel_att.gate_c.gate_c_fc_0.weight': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.channel_att.gate_c.gate_c_fc_0.weight',
    },
    'a misspelled layer': {
      weights: {
        'channel_att.gate_c.gate_c_fc_final.weight': undefined,
        'channel_att.gate_c.gate_c_fc_fnial.weight': float32([6, 2]),
      },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.channel_att.gate_c.gate_c_fc_fnial.weight',
    },
    'a layer far beyond the others': {
      weights: { 'channel_att.gate_c.gate_c_fc_999999999999.weight': float32([2, 2]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.channel_att.gate_c.gate_c_fc_999999999999.weight',
    },
    'no dilation': { params: { dilation: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'dilation' },
  },
  properties() {
    test.each(isas)('logits of zero give x and its half, also in place, %s', isa => {
      useIsa(isa)
      for (const fightingcv of [false, true]) {
        const inputs = block(new Random('gate'), { x: [2, 6, 7, 7], fightingcv })
        expectScaled(
          reference,
          zeroed(inputs, name => final.test(name)),
          1.5,
        )
        expectInPlace(reference, inputs)
      }
    })

    test('what the weights imply may be said, and what nothing uses is ignored', () => {
      const inputs = block(new Random('gate'), { x: [2, 6, 7, 9], convs: 0 })
      const said = { variant: 'official', reduction: 3, numLayers: 1, dilation: 0, padding: 5 }
      const want = call(reference, { ...inputs, params: {} }).out!
      expectSameBits(call(reference, { ...inputs, params: said }).out!, want)
    })
  },
})
