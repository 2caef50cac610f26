// Random convolutions of any number of spatial axes, for conv2d and conv3d alike.
import type { Random } from '../../support/random.ts'
import type { Dense, Inputs } from '../../support/tensors.ts'

export interface ConvolutionShape {
  readonly batch?: number
  readonly channels: readonly [input: number, output: number]
  readonly size: readonly number[]
  readonly kernel: readonly number[]
  readonly stride?: readonly number[]
  readonly padding?: readonly number[]
  readonly dilation?: readonly number[]
  readonly groups?: number
  readonly bias?: boolean
}

/** Weights are scaled so that outputs stay of magnitude one. */
export function convolution(random: Random, shape: ConvolutionShape): Inputs {
  const {
    batch = 2,
    channels,
    size,
    kernel,
    groups,
    bias = true,
    stride,
    padding,
    dilation,
  } = shape
  const [input, output] = channels
  const perGroup = input / (groups ?? 1)
  const taps = kernel.reduce((a, b) => a * b, 1)
  const weights: Record<string, Dense> = {
    weight: random.tensor([output, perGroup, ...kernel], 1 / Math.sqrt(perGroup * taps)),
  }
  if (bias) weights.bias = random.tensor([output])
  const given = { stride, padding, dilation, groups }
  const params = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  )
  return { tensors: { x: random.tensor([batch, input, ...size]) }, weights, params }
}

/** Every parameter by chance, the kernel always fitting. */
export function anyConvolution(random: Random, axes: number, most: number): Inputs {
  const each = (of: () => number): number[] => Array.from({ length: axes }, of)
  const kernel = each(() => random.integer(1, 4))
  const dilation = each(() => random.choose([1, 1, 2, 5]))
  const padding = each(() => random.choose([0, 1, 2, 6]))
  const groups = random.choose([1, 1, 2, 3])
  return convolution(random, {
    batch: random.integer(1, 3),
    channels: [groups * random.integer(1, 5), groups * random.integer(1, 9)],
    size: kernel.map((taps, n) => {
      const least = Math.max(1, dilation[n]! * (taps - 1) + 1 - 2 * padding[n]!)
      return least + random.integer(0, most)
    }),
    kernel,
    dilation,
    padding,
    stride: each(() => random.choose([1, 1, 2, 3])),
    groups,
    bias: random.boolean(),
  })
}
