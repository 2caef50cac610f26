import { expect, test } from 'vitest'
import { linear as reference } from '../reference/linear.ts'
import { expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, prepare } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs, sliceAxis, toDense } from '../support/tensors.ts'

function draw(
  random: Random,
  rows: readonly number[],
  inputs: number,
  outputs: number,
  withBias = random.boolean(),
): Inputs {
  // A sum of `inputs` products of deviation one.
  const scale = 1 / Math.sqrt(inputs)
  return {
    tensors: { x: random.tensor([...rows, inputs]) },
    weights: {
      weight: random.tensor([outputs, inputs], scale),
      ...(withBias && { bias: random.tensor([outputs]) }),
    },
    params: {},
  }
}

const rowOf = (inputs: Inputs, at: number): Inputs => ({
  ...inputs,
  tensors: { x: sliceAxis(inputs.tensors.x!, 0, at, at + 1) },
})

describeOperation({
  reference,
  cases: {
    'a batch of rows': random => draw(random, [2, random.integer(1, 20)], 33, 50),
    'one row': random => draw(random, [1], random.integer(1, 70), random.integer(1, 120)),
    'rank one': random => draw(random, [], random.integer(1, 70), random.integer(1, 120)),
    'many axes': random => draw(random, [2, 1, 3, 2], 8, 49, true),
    'no rows': random => draw(random, [2, 0, 3], 5, 7),
    'no rows of rank two': random => draw(random, [0], 5, 7),
    'one column': random => draw(random, [random.integer(1, 40)], 100, 1),
    'more steps than a chunk holds': random => draw(random, [3], 2100, 20),
  },
  sizes: (n, random) => draw(random, [n], n, n),
  large: {
    'a wide layer': random => draw(random, [197], 192, 576, true),
    'a deep layer': random => draw(random, [70], 1500, 300, false),
    'many rows': random => draw(random, [3, 700], 64, 100, true),
  },
  tolerance: { rtol: 2e-5, atol: 8e-6 },
  wrong: {
    'no inputs': {
      tensors: { x: float32([2, 0]) },
      weights: { weight: float32([3, 0]), bias: undefined },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'no weight': {
      weights: { weight: undefined, bias: undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.weight',
    },
    'a misspelled weight': valid => ({
      weights: { weight: undefined, wieght: valid.weights.weight },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.wieght',
    }),
    'a weight for other inputs': {
      weights: { weight: float32([50, 32]), bias: undefined },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.weight',
    },
    'a weight of rank one': {
      weights: { weight: float32([33]), bias: undefined },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.weight',
    },
    'a bias for other outputs': {
      weights: { bias: float32([49]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.bias',
    },
  },
  properties() {
    test('every row is a batch of its own', () => {
      const random = new Random('rows apart')
      for (const rows of [2, 7, 8, 9, 26]) {
        const inputs = draw(random, [rows], 40, 70, true)
        const whole = toDense(call(reference, inputs).out!)
        for (let at = 0; at < rows; at++) {
          const alone = call(reference, rowOf(inputs, at)).out!
          expectSameBits(alone, sliceAxis(whole, 0, at, at + 1), `row ${at} of ${rows}`)
        }
      }
    })

    test('NaN and infinity stay in their row', () => {
      const random = new Random('poisoned rows')
      for (const poison of [Number.NaN, Number.POSITIVE_INFINITY]) {
        for (let rows = 2; rows <= 19; rows++) {
          const inputs = draw(random, [rows], 21, 51, true)
          const clean = toDense(call(reference, inputs).out!)
          const bad = random.integer(0, rows - 1)
          const x = inputs.tensors.x!
          x.data[bad * 21 + random.integer(0, 20)] = poison
          const spoiled = toDense(call(reference, inputs).out!)
          for (let at = 0; at < rows; at++) {
            const got = sliceAxis(spoiled, 0, at, at + 1)
            if (at === bad) expect([...got.data].some(Number.isFinite)).toBe(false)
            else expectSameBits(got, sliceAxis(clean, 0, at, at + 1), `row ${at} of ${rows}`)
          }
        }
      }
    })

    test('the identity gives x back', () => {
      const random = new Random('identity')
      const x = random.tensor([11, 53])
      const identity: Dense = float32([53, 53], n => (n % 54 === 0 ? 1 : 0))
      const { out } = call(reference, { tensors: { x }, weights: { weight: identity }, params: {} })
      expectSameBits(out!, x)
    })

    test('half precision weights are those numbers', () => {
      const random = new Random('bfloat16')
      const { tensors } = draw(random, [5], 30, 60)
      const bits = Uint16Array.from({ length: 1800 }, () => random.integer(0x3c00, 0x3f80))
      const wide = new Float32Array(Uint32Array.from(bits, b => b << 16).buffer)
      const weight: Dense = { data: wide, shape: [60, 30] }
      const inputs = { tensors, weights: { weight }, params: {} }
      const want = call(reference, inputs)
      const half = {
        weight: { data: bits, shape: [60, 30], dtype: 'bfloat16' } as unknown as Dense,
      }
      for (const weights of [half, prepare('linear', half, {})]) {
        expectSameBits(call(reference, inputs, { weights }).out!, want.out!)
      }
    })

    test('prepared weights are refused for other inputs', () => {
      const random = new Random('prepared')
      const inputs = draw(random, [3], 10, 20)
      const weights = prepare('linear', inputs.weights, {})
      const other = { ...inputs, tensors: { x: random.tensor([3, 11]) } }
      expect(() => call(reference, other, { weights })).toThrow(RangeError)
    })
  },
})
