import { crossCovarianceAttention as reference } from '../reference/crossCovarianceAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

function channels(random: Random, shape = shapeOf(random), params: Inputs['params'] = {}): Inputs {
  return {
    tensors: {
      query: random.tensor(shape),
      key: random.tensor(shape),
      value: random.tensor(shape),
      temperature: random.tensor([shape[1]!], 2),
    },
    weights: {},
    params,
  }
}

const shapeOf = (random: Random): number[] => [
  random.integer(1, 2),
  random.integer(1, 3),
  random.integer(1, 120),
  random.integer(1, 60),
]

describeOperation({
  reference,
  cases: {
    plain: random => channels(random),
    'a large eps': random => channels(random, shapeOf(random), { eps: 3 }),
    'a channel of zeros': random => {
      const inputs = channels(random, [1, 2, 30, 7])
      const { data } = inputs.tensors.query!
      for (let n = 0; n < data.length; n += 7) data[n] = 0
      return inputs
    },
    'one token': random => channels(random, [2, 2, 1, 9]),
    'no token': random => channels(random, [2, 2, 0, 9]),
  },
  sizes: (n, random) => channels(random, [1, 2, ((n * 7) % 40) + 1, n]),
  large: {
    wide: random => channels(random, [2, 4, 400, 48]),
    long: random => channels(random, [1, 3, 3000, 20]),
    'many heads': random => channels(random, [2, 16, 197, 33]),
  },
  seeds: { best: 5, others: 2 },
  poison: ['query', 'key', 'value'],
  wrong: {
    'temperatures of other heads': ({ tensors }) => ({
      tensors: { temperature: float32([tensors.query!.shape[1]! + 1]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'temperature',
    }),
    'an eps of 0': { params: { eps: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'eps' },
  },
})
