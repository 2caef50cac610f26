import { expect, test } from 'vitest'
import { softmax as engine } from '../../lib/index.ts'
import { softmax } from '../reference/softmax.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32 } from '../support/tensors.ts'

const { NEGATIVE_INFINITY: kLowest, NaN: kNan } = Number

describeOperation({
  reference: softmax,
  cases: {
    'rows of odd length': random => ({
      tensors: { x: random.tensor([random.integer(1, 5), random.integer(1, 70)], 3) },
      weights: {},
      params: {},
    }),
    'one axis': random => ({
      tensors: { x: random.tensor([random.integer(1, 300)]) },
      weights: {},
      params: {},
    }),
    'five axes': random => ({
      tensors: { x: random.tensor([2, 3, random.integer(1, 4), 2, random.integer(1, 40)]) },
      weights: {},
      params: {},
    }),
    'far apart': random => ({
      tensors: { x: random.tensor([4, 50], 60, 1e4) },
      weights: {},
      params: {},
    }),
    'no rows': () => ({ tensors: { x: float32([0, 7]) }, weights: {}, params: {} }),
  },
  sizes: (n, random) => ({ tensors: { x: random.tensor([3, n]) }, weights: {}, params: {} }),
  large: {
    'many rows': random => ({ tensors: { x: random.tensor([2000, 61]) }, weights: {}, params: {} }),
    'attention weights': random => ({
      tensors: { x: random.tensor([2, 4, 97, 131], 2) },
      weights: {},
      params: {},
    }),
    'long rows': random => ({ tensors: { x: random.tensor([3, 70001]) }, weights: {}, params: {} }),
  },
  wrong: {
    'no last axis': { tensors: { x: float32([3, 0]) }, code: 'ERR_FOVEA_SHAPE', argument: 'x' },
  },
  properties() {
    test.each(isas)('rows sum to one, %s', isa => {
      useIsa(isa)
      const { data } = engine(new Random('sums').tensor([50, 333], 5)).out
      for (let row = 0; row < 50; row++) {
        let sum = 0
        for (let i = 0; i < 333; i++) sum += data[row * 333 + i]!
        expect(sum).toBeCloseTo(1, 6)
      }
    })

    test.each(isas)('what is added to a whole row changes nothing, %s', isa => {
      useIsa(isa)
      const x = new Random('shift').tensor([20, 45])
      x.data.forEach((value, n) => {
        x.data[n] = Math.fround(Math.round(value * 64) / 64) // so that the sums are exact
      })
      const shifted = { data: x.data.map(value => value + 1024), shape: x.shape }
      expect(engine(shifted).out.data).toEqual(engine(x).out.data)
    })

    test.each(isas)('-Infinity weighs exactly nothing, %s', isa => {
      useIsa(isa)
      for (let n = 1; n <= 40; n++) {
        const dead = { data: new Float32Array(n).fill(kLowest), shape: [n] }
        expect(engine(dead).out.data).toEqual(new Float32Array(n))
        const one = { data: new Float32Array(n).fill(kLowest), shape: [n] }
        one.data[n - 1] = -1e30
        const only = new Float32Array(n)
        only[n - 1] = 1
        expect(engine(one).out.data).toEqual(only)
      }
    })

    test.each(isas)('a NaN makes its row NaN and no other, %s', isa => {
      useIsa(isa)
      for (const fill of [0, kLowest]) {
        for (let at = 0; at < 37; at++) {
          const data = new Float32Array(3 * 37).fill(fill)
          data[37 + at] = kNan
          const { out } = engine({ data, shape: [3, 37] })
          out.data.forEach((value, n) => {
            expect(Number.isNaN(value)).toBe(n >= 37 && n < 74)
          })
        }
      }
    })

    test('into x itself', () => {
      const x = new Random('in place').tensor([30, 41])
      const want = engine(x).out.data.slice()
      expect(engine(x, { into: { out: x } }).out).toBe(x)
      expect(x.data).toEqual(want)
    })
  },
})
