import { expect, test } from 'vitest'
import { additiveAttention } from '../../lib/index.ts'
import { additiveAttention as reference } from '../reference/additiveAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs, int32 } from '../support/tensors.ts'

interface Sizes {
  readonly B?: number
  readonly Lq?: number
  readonly Lk?: number
  readonly A?: number
  readonly Dv?: number
}

function scored(random: Random, given: Sizes = {}, size = 1): Inputs {
  const { B = random.integer(1, 3), Lq = random.integer(1, 60), Lk = random.integer(1, 60) } = given
  const { A = random.integer(1, 20), Dv = random.integer(1, 20) } = given
  const [Dq, Dk] = [random.integer(1, 12), random.integer(1, 12)]
  return {
    tensors: {
      query: random.tensor([B, Lq, Dq], size),
      key: random.tensor([B, Lk, Dk], size),
      value: random.tensor([B, Lk, Dv]),
    },
    weights: {
      Wq: random.tensor([A, Dq], Dq ** -0.5),
      Wk: random.tensor([A, Dk], Dk ** -0.5),
      v: random.tensor([A]),
      ...(random.boolean() ? { b: random.tensor([A]) } : {}),
    },
    params: {},
  }
}

function normed(random: Random): Inputs {
  const inputs = scored(random)
  const { v } = inputs.weights
  return {
    ...inputs,
    weights: { ...inputs.weights, b: random.tensor(v!.shape), g: random.tensor([1], 3) },
    params: { normalize: true },
  }
}

function withLengths(random: Random, inputs: Inputs): Inputs {
  const [B, Lk] = inputs.tensors.key!.shape as [number, number]
  return { ...inputs, tensors: { ...inputs.tensors, keyLengths: random.integers([B], 0, Lk) } }
}

describeOperation({
  reference,
  cases: {
    plain: random => scored(random),
    lengths: random => withLengths(random, scored(random)),
    'few queries': random => withLengths(random, scored(random, { Lq: random.integer(1, 8) })),
    normalised: random => normed(random),
    // Sums of queries and keys far past where the tangent is 1, and back to it.
    'large numbers': random => scored(random, {}, 100),
    'no key': random => scored(random, { Lk: 0 }),
    'nobody to ask': random => scored(random, { Lq: 0 }),
    'no batch': random => scored(random, { B: 0 }),
  },
  sizes: (n, random) => scored(random, { B: 1, Lq: n, Lk: 3 * n, A: n }),
  large: {
    // Two chunks of keys; two parts of them for few queries.
    long: random => withLengths(random, scored(random, { B: 2, Lq: 50, Lk: 2100, A: 7 })),
    'few queries': random => withLengths(random, scored(random, { B: 2, Lq: 3, Lk: 4200, A: 16 })),
    wide: random => scored(random, { B: 2, Lq: 100, Lk: 100, A: 64, Dv: 32 }),
  },
  seeds: { best: 5, others: 2 },
  // Errors of a float32 projection of 100 units reach the scores.
  tolerance: (_, { tensors }) =>
    tensors.query!.data.some(x => Math.abs(x as number) > 50)
      ? { rtol: 1e-3, atol: 2e-4 }
      : { rtol: 2e-5, atol: 1e-5 },
  poison: ['query', 'key', 'value'],
  wrong: {
    'no bias to normalise with': {
      params: { normalize: true },
      weights: { b: undefined, g: float32([1]) },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.b',
    },
    'a direction of nothing': ({ weights }) => ({
      params: { normalize: true },
      weights: { v: float32(weights.v!.shape), b: weights.v, g: float32([1]) },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'weights.v',
    }),
    'a length past the keys': ({ tensors }) => ({
      tensors: { keyLengths: int32(Array(tensors.key!.shape[0]!).fill(1000)) },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'keyLengths',
    }),
    'values of other keys': ({ tensors }) => ({
      tensors: { value: float32(tensors.value!.shape.map((n, axis) => (axis === 1 ? n + 1 : n))) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'value',
    }),
  },
  properties() {
    test('a tangent is right to a few ulp of 1, wherever its two parts lie', () => {
      const apart = [0, 1e-6, 0.3, 1, 5, 9, 20, 88, 300, 1e4, 1e38]
      for (const shift of apart) {
        for (const x of [...apart, ...apart.map(value => -value)]) {
          const [q, k] = [Math.fround(x), Math.fround(-shift)]
          const one = { data: Float32Array.of(1), shape: [1, 1] }
          // Of a second key whose score is 0 the weights give the score of the first.
          const { attentionWeights } = additiveAttention(
            { data: Float32Array.of(q), shape: [1, 1, 1] },
            { data: Float32Array.of(k, -q), shape: [1, 2, 1] },
            { data: Float32Array.of(0, 0), shape: [1, 2, 1] },
            { Wq: one, Wk: one, v: { data: Float32Array.of(1), shape: [1] } },
            { outputs: ['attentionWeights'] },
          )
          const [first, second] = attentionWeights.data as Float32Array
          // What float32 makes of the sum before any tangent.
          const slack = 1e-6 + 4e-7 * Math.abs(q) * (1 - Math.tanh(q + k) ** 2)
          expect(
            Math.abs(Math.log(first! / second!) - Math.tanh(q + k)),
            `${q} + ${k}`,
          ).toBeLessThan(slack)
        }
      }
    })
  },
})
