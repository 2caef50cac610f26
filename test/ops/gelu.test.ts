import { expect, test } from 'vitest'
import { gelu as engine } from '../../lib/index.ts'
import { gelu } from '../reference/gelu.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32 } from '../support/tensors.ts'

describeOperation({
  reference: gelu,
  cases: {
    'one axis': random => ({
      tensors: { x: random.tensor([random.integer(1, 300)], 2) },
      weights: {},
      params: {},
    }),
    'four axes': random => ({
      tensors: { x: random.tensor([2, random.integer(1, 5), 3, random.integer(1, 40)], 3) },
      weights: {},
      params: {},
    }),
    'far from zero': random => ({
      tensors: { x: random.tensor([4, 50], 1000) },
      weights: {},
      params: {},
    }),
    'nothing at all': () => ({ tensors: { x: float32([2, 0]) }, weights: {}, params: {} }),
  },
  sizes: (n, random) => ({ tensors: { x: random.tensor([3, n], 3) }, weights: {}, params: {} }),
  large: {
    'a layer of a transformer': random => ({
      tensors: { x: random.tensor([2, 97, 384]) },
      weights: {},
      params: {},
    }),
    'one long row': random => ({ tensors: { x: random.tensor([70001]) }, weights: {}, params: {} }),
    'single elements': random => ({
      tensors: { x: random.tensor([30001, 1]) },
      weights: {},
      params: {},
    }),
  },
  properties() {
    test.each(isas)('its ends, %s', isa => {
      useIsa(isa)
      const { POSITIVE_INFINITY: high, NEGATIVE_INFINITY: low } = Number
      const x = [low, -3.4e38, -1e4, -40, -0, 0, 40, 1e4, 3.4e38, high, Number.NaN]
      const { out } = engine({ data: Float32Array.from(x), shape: [x.length] })
      const want = [-0, -0, -0, -0, -0, 0, 40, 1e4, 3.4e38, high, Number.NaN]
      expect(out.data).toEqual(Float32Array.from(want))
      for (let n = 0; n < 5; n++) expect(Object.is(out.data[n], -0)).toBe(true)
    })

    test.each(isas)('gelu(x) - gelu(-x) = x, %s', isa => {
      useIsa(isa)
      const x = new Random('odd part').tensor([1000], 3)
      const plus = engine(x).out.data
      const minus = engine({ data: x.data.map(value => -value), shape: x.shape }).out.data
      x.data.forEach((value, n) => {
        expect(Math.abs(plus[n]! - minus[n]! - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value))
      })
    })

    test('into x itself', () => {
      const x = new Random('in place').tensor([30, 41])
      const want = engine(x).out.data.slice()
      expect(engine(x, { into: { out: x } }).out).toBe(x)
      expect(x.data).toEqual(want)
    })
  },
})
