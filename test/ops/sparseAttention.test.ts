import { sparseAttention as reference } from '../reference/sparseAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { Random } from '../support/random.ts'
import type { Inputs } from '../support/tensors.ts'
import { heads, sizes } from './shared/attentionInputs.ts'
import { describeHalves } from './shared/halves.ts'

const headModes = ['merged', 'split', 'first', 'second'] as const

const patterned = (random: Random, L: number, params: object, given: object = {}): Inputs => ({
  tensors: heads(random, sizes(random, { Lq: L, Lk: L, H: 4, Hkv: 2, ...given })),
  weights: {},
  params: { headMode: random.choose(headModes), causal: random.boolean(0.6), ...params },
})

const strided = (random: Random, L: number, stride: number, given?: object): Inputs =>
  patterned(random, L, { pattern: 'strided', stride }, given)

function fixed(random: Random, L: number, stride: number, given?: object): Inputs {
  const summary = random.integer(1, stride)
  const summaryBlocks = random.integer(1, Math.floor(stride / summary))
  return patterned(random, L, { pattern: 'fixed', stride, summary, summaryBlocks }, given)
}

describeOperation({
  reference,
  cases: {
    strided: random => strided(random, random.integer(1, 130), random.integer(1, 20)),
    'strided once more': random => strided(random, random.integer(1, 250), random.integer(1, 40)),
    'a stride past the end': random => strided(random, 40, random.integer(40, 90)),
    fixed: random => fixed(random, random.integer(1, 130), random.integer(1, 20)),
    'fixed once more': random => fixed(random, random.integer(1, 250), random.integer(1, 40)),
    'blocks past the end': random => fixed(random, 40, random.integer(40, 90)),
    'no token': random => strided(random, 0, 3),
  },
  sizes: (n, random) =>
    (n % 2 ? strided : fixed)(random, n + 3, (n % 7) + 1, { D: n, B: 1, H: 2, Hkv: 1 }),
  large: {
    'strided, long': random => strided(random, 1600, 40, { B: 1, D: 32, Dv: 32 }),
    'fixed, long': random => fixed(random, 1600, 40, { B: 1, D: 32, Dv: 32 }),
    'merged, long': random =>
      patterned(
        random,
        1600,
        { pattern: 'strided', stride: 40, headMode: 'merged', causal: true },
        { B: 1, D: 64 },
      ),
  },
  seeds: { best: 6, others: 2 },
  poison: ['query', 'key', 'value'],
  properties: () => {
    const random = new Random('halves')
    describeHalves(reference, {
      strided: strided(random, 70, 9),
      fixed: fixed(random, 70, 9),
    })
  },
  wrong: {
    'a stride of none': {
      params: { stride: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'stride',
    },
    'another pattern': {
      params: { pattern: 'random' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'pattern',
    },
    'no summary': {
      params: { pattern: 'fixed', stride: 4, summary: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'summary',
    },
    'more summaries than a block holds': {
      params: { pattern: 'fixed', stride: 4, summary: 3, summaryBlocks: 2 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'summary',
    },
  },
})
