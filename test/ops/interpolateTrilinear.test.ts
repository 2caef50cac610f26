import { interpolateTrilinear as reference } from '../reference/interpolateTrilinear.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { float32 } from '../support/tensors.ts'
import { anyInterpolation, interpolation } from './shared/interpolationInputs.ts'

describeOperation({
  reference,
  cases: {
    'any sizes': random => anyInterpolation(random, 3, 20),
    'twice as large': random => interpolation(random, [3, 4, 5], [6, 8, 10], random.boolean()),
    smaller: random => interpolation(random, [7, 6, 40], [2, 3, 9], random.boolean()),
    'one axis only': random => interpolation(random, [3, 4, 5], [7, 4, 5], random.boolean()),
    'from one element': random => interpolation(random, [1, 1, 1], [2, 3, 4]),
  },
  sizes: (n, random) => interpolation(random, [2, 3, n], [3, 2, 34 - n], n % 2 === 0),
  large: { larger: random => interpolation(random, [9, 20, 21], [18, 41, 40]) },
  wrong: {
    'a map of two axes': {
      tensors: { x: float32([1, 2, 5, 6]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    },
    'two sizes': { params: { size: [3, 3] }, code: 'ERR_FOVEA_OPTION', argument: 'size' },
  },
})
