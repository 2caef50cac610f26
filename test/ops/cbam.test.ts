import { expect, test } from 'vitest'
import { cbam as reference } from '../reference/cbam.ts'
import { expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs, toDense } from '../support/tensors.ts'
import { expectInPlace, expectScaled, layer, reordered, zeroed } from './shared/gateInputs.ts'
import { normWeights } from './shared/normInputs.ts'

interface Shape {
  readonly x: readonly number[]
  readonly R?: number
  readonly poolTypes?: readonly string[]
  readonly noSpatial?: boolean
}

const pools = ['avg', 'max', 'lp', 'lse']

function block(random: Random, { x, R = 2, poolTypes, noSpatial }: Shape): Inputs {
  const C = x[1]!
  const spatial = {
    ...layer(random, 'SpatialGate.spatial.conv', [1, 2, 7, 7], false),
    ...normWeights(random, 'SpatialGate.spatial.bn', 1),
  }
  return {
    tensors: { x: random.tensor(x) },
    weights: {
      ...layer(random, 'ChannelGate.mlp.1', [R, C], true),
      ...layer(random, 'ChannelGate.mlp.3', [C, R], true),
      ...(noSpatial ? {} : spatial),
    },
    params: {
      ...(poolTypes === undefined ? {} : { poolTypes }),
      ...(noSpatial === undefined ? {} : { noSpatial }),
    },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => block(random, { x: [2, 6, 7, 9] }),
    any: random =>
      block(random, {
        x: [random.integer(1, 3), 12, random.integer(1, 12), random.integer(1, 12)],
        R: random.choose([1, 3, 6, 12]),
        poolTypes: pools.filter(() => random.boolean()).concat(random.choose(pools)),
        noSpatial: random.boolean(0.2),
      }),
    'every pool': random => block(random, { x: [2, 5, 6, 7], poolTypes: pools }),
    'one pool twice': random =>
      block(random, { x: [1, 4, 3, 3], poolTypes: ['max', 'lp', 'max', 'max'] }),
    'chunks of a plane': random =>
      block(random, { x: [1, 2, 60, 72], poolTypes: ['lse', 'max', 'lp'] }),
    'channels alone': random => block(random, { x: [2, 4, 3, 5], noSpatial: true }),
    'one position': random => block(random, { x: [2, 4, 1, 1] }),
    'no entry': random => block(random, { x: [0, 4, 2, 2] }),
  },
  large: {
    'several groups of entries': random => block(random, { x: [5, 24, 60, 50], R: 4 }),
  },
  poison: ['x'],
  seeds: { best: 3, others: 1 },
  wrong: {
    'a reduction that the weights contradict': {
      params: { reduction: 2 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'reduction',
    },
    'more hidden channels than channels': {
      weights: {
        'ChannelGate.mlp.1.weight': float32([7, 6]),
        'ChannelGate.mlp.1.bias': float32([7]),
        'ChannelGate.mlp.3.weight': float32([6, 7]),
      },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.ChannelGate.mlp.1.weight',
    },
    'hidden channels that no reduction gives': {
      weights: {
        'ChannelGate.mlp.1.weight': float32([4, 6]),
        'ChannelGate.mlp.1.bias': float32([4]),
        'ChannelGate.mlp.3.weight': float32([6, 4]),
      },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.ChannelGate.mlp.1.weight',
    },
    'no pool': { params: { poolTypes: [] }, code: 'ERR_FOVEA_OPTION', argument: 'poolTypes' },
    'an unknown pool': {
      params: { poolTypes: ['avg', 'mean'] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'poolTypes[1]',
    },
    'a gate of positions that is left out': {
      params: { noSpatial: true, outputs: ['spatialAttention'] },
      code: 'ERR_FOVEA_OUTPUT',
      argument: 'outputs',
    },
    'no convolution': {
      weights: { 'SpatialGate.spatial.conv.weight': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.SpatialGate.spatial.conv.weight',
    },
    'a convolution of another kernel': {
      weights: { 'SpatialGate.spatial.conv.weight': float32([1, 2, 3, 3]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.SpatialGate.spatial.conv.weight',
    },
  },
  properties() {
    const inputs = (noSpatial?: boolean): Inputs =>
      block(new Random('gate'), { x: [2, 6, 7, 9], ...(noSpatial && { noSpatial }) })

    test.each(isas)('logits of zero halve x once for each gate, %s', isa => {
      useIsa(isa)
      expectScaled(
        reference,
        zeroed(inputs(), name => /mlp|bn\.(weight|bias)/.test(name)),
        0.25,
      )
      expectScaled(
        reference,
        zeroed(inputs(true), name => name.includes('mlp')),
        0.5,
      )
    })

    test.each(isas)('channels permuted give channels permuted, %s', isa => {
      useIsa(isa)
      const { tensors, weights, params } = inputs()
      const order = [3, 0, 5, 1, 4, 2]
      const want = reordered(toDense(call(reference, { tensors, weights, params }).out!), 1, order)
      const mlp = (part: string): string => `ChannelGate.mlp.${part}`
      const out = call(reference, {
        tensors: { x: reordered(tensors.x!, 1, order) },
        weights: {
          ...weights,
          [mlp('1.weight')]: reordered(weights[mlp('1.weight')]!, 1, order),
          [mlp('3.weight')]: reordered(weights[mlp('3.weight')]!, 0, order),
          [mlp('3.bias')]: reordered(weights[mlp('3.bias')]!, 0, order),
        },
        params,
      }).out!
      out.data.forEach((value, n) => {
        expect(value).toBeCloseTo(want.data[n]!, 5)
      })
    })

    test.each(isas)('in place, and with weights of a gate that is left out, %s', isa => {
      useIsa(isa)
      expectInPlace(reference, inputs())
      const { tensors, weights } = inputs()
      const params = { noSpatial: true }
      const alone = Object.fromEntries(
        Object.entries(weights).filter(([name]) => name.startsWith('Channel')),
      )
      expectSameBits(
        call(reference, { tensors, weights, params }).out!,
        call(reference, { tensors, weights: alone, params }).out!,
      )
    })
  },
})
