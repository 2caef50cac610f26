import { locallyGroupedAttention as reference } from '../reference/locallyGroupedAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { Random } from '../support/random.ts'
import type { Inputs } from '../support/tensors.ts'
import { heads, sizes } from './shared/attentionInputs.ts'
import { describeHalves } from './shared/halves.ts'

const padModes = ['exclude', 'zeros'] as const

function grouped(
  random: Random,
  [height, width]: readonly [number, number],
  [windowHeight, windowWidth]: readonly [number, number],
  given: object = {},
): Inputs {
  const L = height * width
  return {
    tensors: heads(random, {
      ...sizes(random, { D: random.integer(1, 20), ...given, H: 2, Hkv: 2 }),
      Lq: L,
      Lk: L,
    }),
    weights: {},
    params: { height, width, windowHeight, windowWidth, padMode: random.choose(padModes) },
  }
}

const pair = (random: Random, most: number): [number, number] => [
  random.integer(1, most),
  random.integer(1, most),
]

describeOperation({
  reference,
  cases: {
    'even windows': random => grouped(random, [6, 12], [3, 4]),
    'any windows': random => grouped(random, pair(random, 14), pair(random, 9)),
    'windows of one token': random => grouped(random, [4, 5], [1, 1]),
    'a window past the map': random => grouped(random, [3, 4], [5, 3]),
    'large windows': random => grouped(random, [11, 15], [9, 11]),
    'no batch entry': random => grouped(random, [2, 2], [2, 2], { B: 0 }),
  },
  sizes: (n, random) => grouped(random, [3, n + 1], [2, (n % 8) + 1], { B: 1, D: n }),
  large: {
    'seven by seven': random => grouped(random, [21, 28], [7, 7], { B: 2, D: 32, Dv: 32 }),
    uneven: random => grouped(random, [30, 33], [7, 7], { B: 1, D: 32 }),
    'windows of many tokens': random => grouped(random, [40, 24], [20, 8], { B: 1, D: 16 }),
  },
  seeds: { best: 3, others: 1 },
  poison: ['query', 'key', 'value'],
  properties: () => {
    const random = new Random('halves')
    describeHalves(reference, {
      lanes: grouped(random, [8, 13], [3, 4], { D: 17 }),
      panels: grouped(random, [13, 16], [12, 11]),
    })
  },
  wrong: {
    'another number of tokens': {
      params: { height: 5, width: 5 },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'query',
    },
    'a window of no row': {
      params: { windowHeight: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'windowHeight',
    },
    'another padding': {
      params: { padMode: 'reflect' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'padMode',
    },
  },
})
