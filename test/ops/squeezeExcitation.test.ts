import { expect, test } from 'vitest'
import { squeezeExcitation as reference } from '../reference/squeezeExcitation.ts'
import { expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs, toDense } from '../support/tensors.ts'
import { expectInPlace, expectScaled, layer, reordered, zeroed } from './shared/gateInputs.ts'

interface Shape {
  readonly x?: readonly [B: number, C: number, H: number, W: number]
  readonly R?: number
  readonly bias?: boolean
}

function excitation(random: Random, shape: Shape = {}): Inputs {
  const { x = [2, random.integer(1, 20), random.integer(1, 9), random.integer(1, 9)] } = shape
  const { R = random.integer(1, 9), bias = random.boolean() } = shape
  const kernel = random.choose([[], [1, 1]])
  return {
    tensors: { x: random.tensor(x) },
    weights: {
      ...layer(random, 'fc1', [R, x[1], ...kernel], bias),
      ...layer(random, 'fc2', [x[1], R, ...kernel], bias),
    },
    params: {
      gate: random.choose(['sigmoid', 'hardSigmoid', undefined]),
      activation: random.choose(['relu', 'silu', undefined]),
    },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => excitation(random, { x: [2, 6, 3, 5], R: 2, bias: true }),
    any: random => excitation(random),
    'more hidden than channels': random => excitation(random, { x: [1, 3, 4, 4], R: 11 }),
    'one position': random => excitation(random, { x: [3, 5, 1, 1] }),
    'no entry': random => excitation(random, { x: [0, 5, 2, 2] }),
    'a plane of several chunks': random => excitation(random, { x: [1, 2, 61, 73] }),
    'more entries than lanes': random => excitation(random, { x: [19, 4, 2, 3] }),
  },
  large: {
    'several cached groups': random => excitation(random, { x: [7, 20, 60, 50], R: 4 }),
    'large entries': random => excitation(random, { x: [2, 40, 90, 80], R: 4 }),
  },
  poison: ['x'],
  seeds: { best: 3, others: 1 },
  wrong: {
    'a hidden layer of another width': {
      weights: { 'fc2.weight': float32([6, 3]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.fc2.weight',
    },
    'weights of other channels': {
      tensors: { x: float32([2, 7, 3, 5]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.fc1.weight',
    },
    'no second layer': {
      weights: { 'fc2.weight': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.fc2.weight',
    },
    'a misspelled weight': {
      weights: { 'fc2.bias': undefined, 'fc2.bais': float32([6]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.fc2.bais',
    },
    'another gate': { params: { gate: 'tanh' }, code: 'ERR_FOVEA_OPTION', argument: 'gate' },
    'a map without rows': {
      tensors: { x: float32([2, 6, 0, 5]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'three spatial axes': {
      tensors: { x: float32([2, 6, 3, 5, 2]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    },
  },
  properties() {
    const inputs = (): Inputs => excitation(new Random('gate'), { x: [2, 6, 5, 7], bias: true })

    test.each(isas)('logits of zero halve x, large ones leave it or take it away, %s', isa => {
      useIsa(isa)
      const zero = zeroed(inputs(), name => name.startsWith('fc2'))
      expectScaled(reference, { ...zero, params: {} }, 0.5)
      expectScaled(reference, { ...zero, params: { gate: 'hardSigmoid' } }, 0.5)
      for (const [bias, factor] of [
        [1e4, 1],
        [-1e4, 0],
      ] as const) {
        const weights = { ...zero.weights, 'fc2.bias': float32([6], bias) }
        expectScaled(reference, { ...zero, weights, params: {} }, factor)
      }
    })

    test.each(isas)('channels permuted give channels permuted, %s', isa => {
      useIsa(isa)
      const { tensors, weights, params } = inputs()
      const order = [3, 0, 5, 1, 4, 2]
      const want = reordered(toDense(call(reference, { tensors, weights, params }).out!), 1, order)
      const out = call(reference, {
        tensors: { x: reordered(tensors.x!, 1, order) },
        weights: {
          'fc1.weight': reordered(weights['fc1.weight']!, 1, order),
          'fc1.bias': weights['fc1.bias']!,
          'fc2.weight': reordered(weights['fc2.weight']!, 0, order),
          'fc2.bias': reordered(weights['fc2.bias']!, 0, order),
        },
        params,
      }).out!
      out.data.forEach((value, n) => {
        expect(value).toBeCloseTo(want.data[n]!, 5)
      })
    })

    test.each(isas)('x may be overwritten by out, %s', isa => {
      useIsa(isa)
      expectInPlace(reference, inputs())
      expectInPlace(reference, excitation(new Random('large'), { x: [3, 30, 70, 70] }))
    })

    test('layers as matrices and as convolutions are the same', () => {
      const { tensors, weights, params } = inputs()
      const [given, other] = [{}, {}] as Record<string, never>[]
      for (const [name, { data, shape }] of Object.entries(weights)) {
        const flat = shape.length === 1 ? shape : shape.slice(0, 2)
        Object.assign(given!, { [name]: { data, shape: flat } })
        Object.assign(other!, {
          [name]: { data, shape: flat.length === 1 ? flat : [...flat, 1, 1] },
        })
      }
      expectSameBits(
        call(reference, { tensors, weights: other!, params }).out!,
        call(reference, { tensors, weights: given!, params }).out!,
      )
    })
  },
})
