import { neighborhoodAttention as reference } from '../reference/neighborhoodAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs } from '../support/tensors.ts'
import { describeHalves } from './shared/halves.ts'

interface Given {
  readonly B?: number
  readonly H?: number
  readonly D?: number
  readonly Dv?: number
}

/** Heads last over a map of these sizes. */
function map(
  random: Random,
  spatial: readonly number[],
  params: object,
  given: Given = {},
): Inputs {
  const { B = random.integer(1, 2), H = random.integer(1, 3), D = random.integer(1, 20) } = given
  const { Dv = random.boolean() ? D : random.integer(1, 20) } = given
  const tensor = (size: number) => random.tensor([B, ...spatial, H, size])
  return {
    tensors: { query: tensor(D), key: tensor(D), value: tensor(Dv) },
    weights: {},
    params: { ...params },
  }
}

/** Kernels, dilations and strides that fit; every axis its own. */
function window(
  random: Random,
  spatial: readonly number[],
  mostKernel = 7,
): Record<string, unknown> {
  const kernelSize = spatial.map(n => random.integer(2, Math.min(n, mostKernel)))
  return {
    kernelSize,
    dilation: kernelSize.map((k, axis) => random.integer(1, Math.floor(spatial[axis]! / k))),
    stride: kernelSize.map(k => random.integer(1, k)),
    causal: kernelSize.map(() => random.boolean(0.3)),
  }
}

function withBias(random: Random, spatial: readonly number[], dilated: boolean): Inputs {
  const kernelSize = spatial.map(
    n => 1 + 2 * random.integer(1, Math.floor((n - 1) / 2 / (dilated ? 2 : 1))),
  )
  const dilation = kernelSize.map((k, axis) => Math.floor(spatial[axis]! / k))
  const inputs = map(random, spatial, { kernelSize, ...(dilated ? { dilation } : {}) }, { H: 2 })
  return {
    ...inputs,
    tensors: { ...inputs.tensors, rpb: random.tensor([2, ...kernelSize.map(k => 2 * k - 1)]) },
  }
}

const sizes = (random: Random, axes: number, most: number): number[] =>
  Array.from({ length: axes }, () => random.integer(2, most))

const anyWindow = (random: Random, spatial: readonly number[], given?: Given): Inputs =>
  map(random, spatial, window(random, spatial), given)

/** A bias over one axis for the heads of [B, L, H, D]. */
const biasFor = ({ shape }: Dense, width: number): Dense => float32([shape[2]!, width])

describeOperation({
  reference,
  cases: {
    'one axis': random => anyWindow(random, sizes(random, 1, 90)),
    'two axes': random => anyWindow(random, sizes(random, 2, 20)),
    'three axes': random => anyWindow(random, sizes(random, 3, 8), { H: 1 }),
    'square windows': random => map(random, [13, 19], { kernelSize: random.choose([3, 4, 5, 7]) }),
    'as large as the map': random => map(random, [6, 5], { kernelSize: [6, 5] }),
    'bias along one axis': random =>
      withBias(
        random,
        sizes(random, 1, 30).map(n => n + 3),
        false,
      ),
    'bias over a map': random => withBias(random, [9, 11], false),
    'bias, dilated': random => withBias(random, [10, 13], true),
    'no head': random => map(random, [4, 4], { kernelSize: 3 }, { H: 0 }),
  },
  sizes: (n, random) => map(random, [3, n + 2], { kernelSize: [2, 3] }, { B: 1, H: 1, D: n }),
  large: {
    'a wide map': random => map(random, [28, 40], { kernelSize: 7 }, { B: 1, H: 2, D: 32, Dv: 32 }),
    'a long axis': random => map(random, [3000], { kernelSize: 33 }, { B: 1, H: 1, D: 32 }),
    'a volume': random =>
      map(
        random,
        [6, 12, 12],
        { kernelSize: [3, 5, 5], dilation: [1, 2, 1] },
        { B: 1, H: 2, D: 16 },
      ),
  },
  seeds: { best: 3, others: 1 },
  poison: ['query', 'key', 'value'],
  properties: () => {
    const random = new Random('halves')
    describeHalves(reference, {
      lanes: map(random, [9, 23], { kernelSize: 5 }, { H: 2, D: 19, Dv: 16 }),
      'lanes, causal': map(random, [30], { kernelSize: 4, causal: true, stride: 3 }),
      panels: map(random, [20, 20], { kernelSize: 17 }, { B: 1 }),
    })
  },
  wrong: {
    'a kernel of one': {
      params: { kernelSize: 1 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'kernelSize[0]',
    },
    'a kernel longer than the axis': {
      params: { kernelSize: 99, dilation: 1, stride: 1 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'kernelSize[0]',
    },
    'a dilation that leaves no room': {
      params: { kernelSize: 2, dilation: 77, stride: 1 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'kernelSize[0]',
    },
    'a stride past the kernel': {
      params: { kernelSize: 2, dilation: 1, stride: 3 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'stride[0]',
    },
    'kernels for another number of axes': {
      params: { kernelSize: [3, 3, 3, 3] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'kernelSize',
    },
    'a bias with an even kernel': ({ tensors }) => ({
      tensors: { rpb: biasFor(tensors.query!, 3) },
      params: { kernelSize: 2, dilation: 1, stride: 1, causal: false },
      code: 'ERR_FOVEA_OPTION',
      argument: 'kernelSize[0]',
    }),
    'a bias under causality': ({ tensors }) => ({
      tensors: { rpb: biasFor(tensors.query!, 5) },
      params: { kernelSize: 3, dilation: 1, stride: 1, causal: true },
      code: 'ERR_FOVEA_OPTION',
      argument: 'causal[0]',
    }),
    'a bias of another kernel': ({ tensors }) => ({
      tensors: { rpb: biasFor(tensors.query!, 7) },
      params: { kernelSize: 3, dilation: 1, stride: 1, causal: false },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'rpb',
    }),
  },
})
