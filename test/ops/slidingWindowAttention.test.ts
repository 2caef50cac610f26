import { slidingWindowAttention as reference } from '../reference/slidingWindowAttention.ts'
import { heads, sizes, withParams } from '../support/attentionInputs.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs, int32 } from '../support/tensors.ts'

const windowed = (random: Random, L: number, params: object = {}, given: object = {}): Inputs => ({
  tensors: heads(random, { ...sizes(random, { Lq: L, Lk: L, ...given }), H: 2, Hkv: 2 }),
  weights: {},
  params: { windowLeft: random.integer(0, 40), windowRight: random.integer(0, 40), ...params },
})

/** Some global tokens, with projections of their own half of the time. */
function withGlobals(random: Random, inputs: Inputs, chance: number): Inputs {
  const { query, key, value } = inputs.tensors
  const [B, , L] = query!.shape as [number, number, number]
  const own = random.boolean()
    ? {
        globalQuery: random.tensor(query!.shape),
        globalKey: random.tensor(key!.shape),
        globalValue: random.tensor(value!.shape),
      }
    : {}
  return withParams(inputs, {}, { globalTokens: random.mask([B, L], chance), ...own })
}

const lengths = (random: Random, inputs: Inputs): Inputs => {
  const [B, , L] = inputs.tensors.query!.shape as [number, number, number]
  return withParams(inputs, {}, { keyLengths: random.integers([B], 1, L) })
}

describeOperation({
  reference,
  cases: {
    plain: random => windowed(random, random.integer(1, 150)),
    causal: random => windowed(random, random.integer(1, 250), { causal: true }),
    dilated: random => windowed(random, random.integer(1, 150), { dilation: random.integer(1, 9) }),
    'dilated by head': random =>
      windowed(random, random.integer(1, 150), {
        dilation: [random.integer(1, 200), random.integer(1, 5)],
      }),
    lengths: random => lengths(random, windowed(random, random.integer(1, 150))),
    globals: random => withGlobals(random, windowed(random, random.integer(1, 150)), 0.06),
    'many globals': random => withGlobals(random, windowed(random, 90), 0.6),
    'globals, dilated, with lengths': random =>
      lengths(
        random,
        withGlobals(random, windowed(random, 130, { dilation: random.integer(2, 4) }), 0.1),
      ),
    'nothing but globals': random => withGlobals(random, windowed(random, 60), 1.1),
    'no token': random => windowed(random, 0),
    'a window of nothing': random => windowed(random, 70, { windowLeft: 0, windowRight: 0 }),
  },
  sizes: (n, random) => windowed(random, n + 3, {}, { D: n, B: 1 }),
  large: {
    long: random => windowed(random, 3000, { windowLeft: 100, windowRight: 30 }, { B: 1, D: 32 }),
    'long, with globals': random =>
      withGlobals(random, windowed(random, 2000, { dilation: 2 }, { B: 1, D: 32 }), 0.01),
    causal: random => windowed(random, 3000, { windowLeft: 64, causal: true }, { B: 1, D: 64 }),
  },
  seeds: { best: 5, others: 2 },
  poison: ['query', 'key', 'value'],
  wrong: {
    'causal and global': ({ tensors }) => ({
      tensors: {
        globalTokens: { data: new Uint8Array(1), shape: [1, 1] },
        ...Object.fromEntries(
          ['query', 'key', 'value'].map(name => [
            name,
            float32([1, 2, 1, tensors[name]!.shape[3]!]),
          ]),
        ),
      },
      params: { causal: true },
      code: 'ERR_FOVEA_OPTION',
      argument: 'causal',
    }),
    'a length of none': ({ tensors }) => ({
      tensors: { keyLengths: int32(Array(tensors.query!.shape[0]!).fill(0)) },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'keyLengths',
    }),
    'half of the global projections': ({ tensors }) => ({
      tensors: {
        globalTokens: {
          data: new Uint8Array(tensors.query!.shape[0]! * tensors.query!.shape[2]!),
          shape: [tensors.query!.shape[0]!, tensors.query!.shape[2]!],
        },
        globalKey: tensors.key!,
      },
      code: 'ERR_FOVEA_TYPE',
      argument: 'globalQuery',
    }),
    'a dilation of none': {
      params: { dilation: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'dilation[0]',
    },
    'dilations of other heads': {
      params: { dilation: [1, 2, 3] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'dilation',
    },
    'a negative window': {
      params: { windowLeft: -1 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'windowLeft',
    },
  },
})
