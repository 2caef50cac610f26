import { expect, test } from 'vitest'
import { globalAveragePool as engine } from '../../lib/index.ts'
import { globalAveragePool } from '../reference/globalAveragePool.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { isas, useIsa } from '../support/engine.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

const inputs = (random: Random, shape: readonly number[], shift = 0): Inputs => ({
  tensors: { x: random.tensor(shape, 1, shift) },
  weights: {},
  params: {},
})

describeOperation({
  reference: globalAveragePool,
  cases: {
    'two spatial axes': random =>
      inputs(random, [2, random.integer(1, 20), random.integer(1, 9), random.integer(1, 9)]),
    'three spatial axes': random =>
      inputs(random, [2, random.integer(1, 5), 3, random.integer(1, 5), random.integer(1, 7)]),
    'far from zero': random => inputs(random, [2, 3, 7, 11], 1e5),
    'more positions than a chunk': random => inputs(random, [1, 17, 47, 61]),
    'no batch': random => inputs(random, [0, 3, 2, 2]),
  },
  sizes: (n, random) => inputs(random, [2, 3, 1, n]),
  large: {
    'many channels': random => inputs(random, [2, 300, 14, 14]),
    'large planes': random => inputs(random, [1, 5, 150, 131]),
    volumes: random => inputs(random, [2, 20, 9, 11, 13]),
  },
  wrong: {
    'one spatial axis': {
      tensors: { x: float32([2, 3, 4]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    },
    'four spatial axes': {
      tensors: { x: float32([1, 1, 1, 1, 1, 2]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    },
    'no channels': {
      tensors: { x: float32([2, 0, 4, 4]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'no positions': {
      tensors: { x: float32([2, 3, 4, 0]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
  },
  properties() {
    test.each(isas)('a constant plane gives its value, exactly, %s', isa => {
      useIsa(isa)
      for (const value of [0.1, -3e38, 1e-30]) {
        const { out } = engine(float32([2, 3, 37, 41], value))
        expect(out.data).toEqual(new Float32Array(6).fill(value))
      }
    })

    test.each(isas)('a NaN and an infinity stay in their channel, %s', isa => {
      useIsa(isa)
      const x = float32([1, 3, 5, 5], 1)
      x.data[7] = Number.NaN
      x.data[60] = Number.NEGATIVE_INFINITY
      expect([...engine(x).out.data]).toEqual([Number.NaN, 1, Number.NEGATIVE_INFINITY])
    })
  },
})
