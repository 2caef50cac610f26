import { expect, test } from 'vitest'
import { interpolateBilinear as reference } from '../reference/interpolateBilinear.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32 } from '../support/tensors.ts'
import { anyInterpolation, interpolation } from './shared/interpolationInputs.ts'

describeOperation({
  reference,
  cases: {
    'any sizes': random => anyInterpolation(random, 2, 50),
    'twice as large, corners': random => interpolation(random, [7, 9], [14, 18], true),
    'twice as large, edges': random => interpolation(random, [7, 9], 18, false),
    'much larger': random => interpolation(random, [2, 3], [21, 190]),
    'half as large': random => interpolation(random, [12, 34], [6, 17]),
    'much smaller': random => interpolation(random, [40, 300], [3, 20], true),
    'to one element': random => interpolation(random, [5, 6], 1, random.boolean()),
    'from one element': random => interpolation(random, [1, 1], [4, 21], random.boolean()),
    'one axis only': random => interpolation(random, [6, 11], [6, 30], random.boolean()),
  },
  sizes: (n, random) => interpolation(random, [3, n], [4, 34 - n], n % 2 === 0),
  large: {
    'many small planes': random => ({
      ...interpolation(random, [1, 1], [14, 14], true),
      tensors: { x: random.tensor([3, 70, 7, 7]) },
    }),
    'large planes': random => interpolation(random, [57, 60], [190, 231]),
  },
  wrong: {
    'no size': { params: { size: undefined }, code: 'ERR_FOVEA_OPTION', argument: 'size' },
    'an empty size': { params: { size: [3, 0] }, code: 'ERR_FOVEA_OPTION', argument: 'size[1]' },
    'three sizes': { params: { size: [3, 3, 3] }, code: 'ERR_FOVEA_OPTION', argument: 'size' },
    'a word for a flag': {
      params: { alignCorners: 'yes' },
      code: 'ERR_FOVEA_TYPE',
      argument: 'alignCorners',
    },
    'no columns': { tensors: { x: float32([1, 1, 3, 0]) }, code: 'ERR_FOVEA_SHAPE', argument: 'x' },
  },
  properties() {
    test.each(isas)('an axis that keeps its size keeps every element, %s', isa => {
      useIsa(isa)
      for (const alignCorners of [true, false]) {
        const inputs = interpolation(new Random('keep'), [9, 21], [9, 21], alignCorners)
        const x = inputs.tensors.x!
        x.data[50] = Number.NaN
        x.data[90] = Number.POSITIVE_INFINITY
        expect(call(reference, inputs).out!.data).toEqual(x.data)
      }
    })
  },
})
