import { conv3d as reference } from '../reference/conv3d.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { float32 } from '../support/tensors.ts'
import { anyConvolution, convolution } from './shared/convolutionInputs.ts'

const kernel = [3, 3, 3]
const padding = [1, 1, 1]

describeOperation({
  reference,
  cases: {
    plain: random => convolution(random, { channels: [2, 5], size: [4, 5, 6], kernel, padding }),
    'any parameters': random => anyConvolution(random, 3, 5),
    pointwise: random =>
      convolution(random, { channels: [9, 7], size: [3, 4, 5], kernel: [1, 1, 1] }),
    'as large steps as the kernel': random =>
      convolution(random, {
        channels: [4, 6],
        size: [5, 6, 7],
        kernel: [2, 2, 2],
        stride: [2, 2, 2],
      }),
    depthwise: random =>
      convolution(random, { channels: [3, 3], size: [3, 5, 4], kernel, padding, groups: 3 }),
    'one slice': random =>
      convolution(random, { channels: [2, 3], size: [1, 6, 5], kernel, padding }),
  },
  sizes: (n, random) =>
    convolution(random, { batch: 1, channels: [2, 3], size: [2, 3, n], kernel, padding }),
  large: {
    plain: random =>
      convolution(random, { channels: [12, 40], size: [9, 15, 17], kernel, padding }),
  },
  wrong: {
    'a map of two axes': {
      tensors: { x: float32([1, 2, 5, 6]) },
      code: 'ERR_FOVEA_RANK',
      argument: 'x',
    },
    'a kernel of two axes': {
      weights: { weight: float32([5, 2, 3, 3]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.weight',
    },
    'two strides': { params: { stride: [1, 1] }, code: 'ERR_FOVEA_OPTION', argument: 'stride' },
    'a map too shallow for the kernel': {
      params: { padding: [0, 1, 1], dilation: [2, 1, 1] },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'x',
    },
  },
})
