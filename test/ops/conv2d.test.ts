import { expect, test } from 'vitest'
import { conv2d as reference } from '../reference/conv2d.ts'
import { expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs, sliceAxis } from '../support/tensors.ts'
import { anyConvolution, convolution } from './shared/convolutionInputs.ts'

const kernel = [3, 3]
const padding = [1, 1]

describeOperation({
  reference,
  cases: {
    plain: random =>
      convolution(random, { channels: [3, 5], size: [6, 7], kernel, padding, bias: false }),
    'any parameters': random => anyConvolution(random, 2, 12),
    pointwise: random =>
      convolution(random, { channels: [random.integer(1, 40), 11], size: [5, 9], kernel: [1, 1] }),
    'pointwise with strides': random =>
      convolution(random, { channels: [4, 6], size: [9, 8], kernel: [1, 1], stride: [2, 3] }),
    depthwise: random =>
      convolution(random, { channels: [6, 6], size: [9, 11], kernel, padding, groups: 6 }),
    'groups of several': random =>
      convolution(random, { channels: [6, 27], size: [5, 5], kernel: [2, 3], groups: 3 }),
    'a map of one element': random =>
      convolution(random, { channels: [7, 9], size: [1, 1], kernel, padding }),
    'padding wider than the kernel': random =>
      convolution(random, { channels: [2, 3], size: [3, 2], kernel: [2, 2], padding: [5, 4] }),
    'dilation beyond the map': random =>
      convolution(random, {
        channels: [3, 4],
        size: [4, 5],
        kernel,
        dilation: [7, 9],
        padding: [7, 9],
      }),
    'wide rows, one channel': random =>
      convolution(random, { channels: [1, 1], size: [2, 997], kernel: [1, 5], padding: [0, 2] }),
    'a kernel as large as the map': random =>
      convolution(random, { channels: [2, 3], size: [17, 19], kernel: [17, 19] }),
    'many channels': random =>
      convolution(random, { channels: [150, 70], size: [6, 5], kernel, padding }),
    'many channels under one tap': random =>
      convolution(random, { channels: [150, 70], size: [6, 5], kernel: [1, 1], stride: [2, 1] }),
  },
  sizes: (n, random) =>
    convolution(random, { batch: 1, channels: [2, 3], size: [n, n], kernel, padding }),
  large: {
    plain: random => convolution(random, { channels: [32, 40], size: [41, 37], kernel, padding }),
    strided: random =>
      convolution(random, { channels: [24, 33], size: [40, 61], kernel, stride: [2, 2], padding }),
    'channels in the lanes': random =>
      convolution(random, {
        channels: [21, 75],
        size: [31, 70],
        kernel,
        stride: [2, 3],
        dilation: [1, 2],
        padding,
      }),
    pointwise: random =>
      convolution(random, { channels: [64, 96], size: [33, 31], kernel: [1, 1] }),
    depthwise: random =>
      convolution(random, { channels: [64, 64], size: [30, 30], kernel, padding, groups: 64 }),
  },
  wrong: {
    'no batch axis': ({ tensors: { x } }) => ({
      tensors: { x: { data: x!.data, shape: x!.shape.slice(1) } },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    }),
    'other channels than the weight has': {
      tensors: { x: float32([1, 4, 6, 7]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.weight',
    },
    'groups that the channels contradict': {
      params: { groups: 3 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'groups',
    },
    'groups that do not divide the outputs': {
      tensors: { x: float32([1, 6, 6, 7]) },
      code: 'ERR_FOVEA_OPTION',
      argument: 'groups',
    },
    'a map without rows': {
      tensors: { x: float32([1, 3, 0, 7]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'a map too small for the kernel': {
      params: { padding: 0, dilation: 4 },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
    'no stride': { params: { stride: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'stride[0]' },
    'negative padding': {
      params: { padding: [0, -1] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'padding[1]',
    },
    'half a dilation': {
      params: { dilation: 0.5 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'dilation',
    },
    'three strides': {
      params: { stride: [1, 1, 1] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'stride',
    },
    'no weight': {
      weights: { weight: undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.weight',
    },
    'a bias of the wrong length': {
      weights: { bias: float32([4]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.bias',
    },
  },
  properties() {
    const inputs = (): Inputs =>
      convolution(new Random('conv2d'), { channels: [4, 12], size: [9, 20], kernel, padding })

    test.each(isas)('channels permuted give channels permuted, %s', isa => {
      useIsa(isa)
      const { tensors, weights, params } = inputs()
      const out = call(reference, { tensors, weights, params }).out!
      const part = {
        weight: sliceAxis(weights.weight!, 0, 5, 7),
        bias: sliceAxis(weights.bias!, 0, 5, 7),
      }
      const some = call(reference, { tensors, weights: part, params }).out!
      expectSameBits(some, sliceAxis(out as never, 1, 5, 7))
    })

    test.each(isas)('NaN and infinity reach the windows that see them and no other, %s', isa => {
      useIsa(isa)
      for (const poison of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const { tensors, weights, params } = inputs()
        const clean = call(reference, { tensors, weights, params }).out!
        const x = tensors.x!
        x.data[4 * 20 + 19] = poison // the last of row 4 of channel 0, batch entry 0
        const out = call(reference, { tensors, weights, params }).out!
        const wrong = Array.from(out.data).filter((value, n) => {
          const [row, column] = [Math.floor(n / 20) % 9, n % 20]
          const sees = n < 12 * 9 * 20 && Math.abs(row - 4) <= 1 && column >= 18
          return sees ? Number.isFinite(value) : value !== clean.data[n]
        })
        expect(wrong).toEqual([])
      }
    })
  },
})
