import { slidingWindowAttention as reference } from '../reference/slidingWindowAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs, int32, sliceAxis, uint8 } from '../support/tensors.ts'
import { heads, sizes, withParams } from './shared/attentionInputs.ts'
import { describeHalves } from './shared/halves.ts'
import { cumulative, lengths as segmentLengths, sum, testSegments } from './shared/ragged.ts'

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

/** The first batch entry alone. */
const firstEntry = (tensors: Inputs['tensors']): Inputs['tensors'] =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, sliceAxis(tensor, 0, 0, 1)]),
  )

const lengths = (random: Random, inputs: Inputs): Inputs => {
  const [B, , L] = inputs.tensors.query!.shape as [number, number, number]
  return withParams(inputs, {}, { keyLengths: random.integers([B], 1, L) })
}

/** Sequences of these lengths, or of any, side by side in one batch entry. */
function ragged(random: Random, params: object = {}, lengths = segmentLengths(random)): Inputs {
  const inputs = windowed(random, sum(lengths), params, { B: 1 })
  return withParams(inputs, {}, { cumulativeLengths: cumulative(lengths) })
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
    'few globals beside many': random => {
      const inputs = windowed(random, 60, {}, { B: 2 })
      const globalTokens = uint8([2, 60], n => (n < 60 ? n % 3 === 0 : n % 20 === 7))
      return withParams(inputs, {}, { globalTokens })
    },
    'nothing but globals': random => withGlobals(random, windowed(random, 60), 1.1),
    ragged: random => ragged(random, { dilation: random.integer(1, 5) }),
    'ragged, with globals': random =>
      withGlobals(random, ragged(random, { dilation: [1, random.integer(1, 40)] }), 0.06),
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
  structure: ['cumulativeLengths'],
  poison: ['query', 'key', 'value'],
  properties: () => {
    const random = new Random('segments')
    const lengths = [70, 1, 0, 8, 17, 30]
    describeHalves(reference, {
      dilated: windowed(random, 90, { dilation: [1, 3] }),
      wide: windowed(random, 260, { windowLeft: 70, windowRight: 50 }, { B: 1 }),
      'with globals': withGlobals(random, windowed(random, 90), 0.1),
    })
    testSegments(reference, 'cumulativeLengths', 'cumulativeLengths', {
      plain: ragged(random, {}, lengths),
      'dilated by head': ragged(random, { dilation: [2, 9] }, lengths),
      causal: ragged(random, { causal: true }, lengths),
      'with globals': withGlobals(random, ragged(random, { dilation: [1, 3] }, lengths), 0.2),
    })
  },
  wrong: {
    'lengths beside segments': ({ tensors }) => ({
      tensors: {
        ...firstEntry(tensors),
        keyLengths: int32([1]),
        cumulativeLengths: int32([0, tensors.query!.shape[2]!]),
      },
      code: 'ERR_FOVEA_OPTION',
      argument: 'keyLengths',
    }),
    'segments past the end': ({ tensors }) => ({
      tensors: {
        ...firstEntry(tensors),
        cumulativeLengths: int32([0, tensors.query!.shape[2]! + 1]),
      },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'cumulativeLengths',
    }),
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
