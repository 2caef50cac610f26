import { expect, test } from 'vitest'
import { layerNorm as engine, prepareWeights, slice } from '../../lib/index.ts'
import { layerNorm } from '../reference/layerNorm.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

function inputs(random: Random, shape: readonly number[], scale = 1, shift = 0): Inputs {
  const n = shape.at(-1)!
  return {
    tensors: { x: random.tensor(shape, scale, shift) },
    weights: { weight: random.tensor([n]), bias: random.tensor([n]) },
    params: {},
  }
}

describeOperation({
  reference: layerNorm,
  cases: {
    'weight and bias': random => inputs(random, [random.integer(1, 5), random.integer(1, 70)]),
    'neither weight nor bias': random => ({
      ...inputs(random, [3, random.integer(1, 70)]),
      weights: {},
    }),
    'one axis': random => inputs(random, [random.integer(1, 300)]),
    'four axes': random => inputs(random, [2, 3, random.integer(1, 4), random.integer(1, 40)]),
    'another eps': random => ({ ...inputs(random, [4, 33], 1e-3), params: { eps: 1e-2 } }),
    'a mean far above the deviation': random => inputs(random, [4, 50], 1, 1e5),
    'no rows': random => inputs(random, [0, 7]),
  },
  sizes: (n, random) => inputs(random, [3, n]),
  large: {
    'a layer of a transformer': random => inputs(random, [2, 197, 384]),
    'many rows': random => inputs(random, [3000, 31]),
    'long rows': random => inputs(random, [3, 70001]),
  },
  wrong: {
    'no last axis': {
      tensors: { x: float32([3, 0]) },
      weights: { weight: undefined, bias: undefined },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'weight without bias': {
      weights: { bias: undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.bias',
    },
    'a weight of another size': {
      weights: { weight: float32([99]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.weight',
    },
    'eps 0': { params: { eps: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'eps' },
    'eps below 0': { params: { eps: -1e-5 }, code: 'ERR_FOVEA_OPTION', argument: 'eps' },
    'eps NaN': { params: { eps: Number.NaN }, code: 'ERR_FOVEA_OPTION', argument: 'eps' },
  },
  properties() {
    test.each(isas)('a constant row gives the bias, %s', isa => {
      useIsa(isa)
      const random = new Random('constant')
      for (let n = 1; n <= 40; n++) {
        const weights = { weight: random.tensor([n]), bias: random.tensor([n]) }
        for (const value of [0, 0.1, -12345.678, 3e38]) {
          const { out } = engine(float32([2, n], value), weights, { eps: 1e-12 })
          expect(out.data).toEqual(new Float32Array([...weights.bias.data, ...weights.bias.data]))
        }
      }
    })

    test.each(isas)('neither shift nor scale of a row matters, %s', isa => {
      useIsa(isa)
      const x = new Random('affine').tensor([10, 333])
      const want = engine(x).out.data
      const moved = engine({ data: x.data.map(value => value * 1e12), shape: x.shape }).out.data
      moved.forEach((value, n) => {
        expect(Math.abs(value - want[n]!)).toBeLessThan(2e-5)
      })
    })

    test('bfloat16 and float16 weights are widened', () => {
      const x = new Random('half').tensor([4, 3])
      const exact = { weight: float32([3], n => 0.5 + n), bias: float32([3], n => -n / 4) }
      const bfloat16 = (values: Iterable<number>): Uint16Array =>
        Uint16Array.from([...new Uint32Array(Float32Array.from(values).buffer)].map(b => b >> 16))
      const half = {
        weight: {
          data: bfloat16(exact.weight.data as Float32Array),
          shape: [3],
          dtype: 'bfloat16',
        },
        bias: { data: Uint16Array.from([0x0000, 0xb400, 0xb800]), shape: [3], dtype: 'float16' },
      } as const
      const want = engine(x, exact).out.data
      expect(engine(x, half).out.data).toEqual(want)
      expect(engine(x, prepareWeights('layerNorm', half, {})).out.data).toEqual(want)
    })

    test.each(isas)('rows of more than caches hold have the bits of near ones, %s', isa => {
      useIsa(isa)
      const [rows, n] = [6300, 673]
      const random = new Random('far')
      const x = float32([rows, n], i => Math.fround(Math.sin(i)))
      const weights = { weight: random.tensor([n]), bias: random.tensor([n]) }
      const far = engine(x, weights).out
      for (const first of [0, 3001, rows - 2]) {
        const near = engine(slice(x, 0, first, first + 2), weights).out
        expect(far.data.subarray(first * n, (first + 2) * n)).toEqual(near.data)
      }
    })

    test('into x itself', () => {
      const x = new Random('in place').tensor([30, 41])
      const want = engine(x).out.data.slice()
      expect(engine(x, null, { into: { out: x } }).out).toBe(x)
      expect(x.data).toEqual(want)
    })
  },
})
