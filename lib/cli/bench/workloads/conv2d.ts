import type { Workload } from '../workload.ts'

interface Sizes {
  readonly B: number
  readonly C: number
  readonly out: number
  readonly size: number
  readonly kernel: number
  readonly groups?: number
  readonly params?: Readonly<Record<string, unknown>>
}

/** Padded so that the map keeps its size. */
function convolution(sizes: Sizes, note: string, prepared: boolean, goal?: number): Workload {
  const { B, C, out, size, kernel, groups = 1, params = {} } = sizes
  const name = `${B}x${C}x${size}x${size} to ${out}, ${kernel}x${kernel}${note}`
  return {
    name: prepared ? `${name}, prepared` : name,
    make: random => ({
      tensors: { x: random.tensor([B, C, size, size]) },
      weights: {
        weight: random.tensor([out, C / groups, kernel, kernel]),
        bias: random.tensor([out]),
      },
      prepared,
      params: { padding: (kernel - 1) / 2, groups, ...params },
    }),
    limit: 'fma',
    work: 2 * B * out * size * size * (C / groups) * kernel * kernel,
    ...(goal === undefined ? {} : { goal }),
    ...(prepared ? {} : { against: `${name}, prepared` }),
  }
}

const layer: Sizes = { B: 4, C: 64, out: 64, size: 56, kernel: 3 }
const same = convolution(layer, '', true, 0.8)

export const workloads: readonly Workload[] = [
  same,
  convolution(layer, '', false),
  convolution({ B: 4, C: 256, out: 64, size: 56, kernel: 1 }, '', true),
  convolution({ ...layer, params: { padding: 2, dilation: 2 } }, ', dilated', true),
  convolution({ ...layer, groups: 4 }, ', 4 groups', true),
  convolution({ B: 4, C: 64, out: 64, size: 56, kernel: 7, groups: 64 }, ', depthwise', true),
  {
    ...convolution(layer, '', true),
    name: `${same.name}, 2 threads`,
    threads: 2,
    against: same.name,
    atMost: 1 / 1.8,
  },
]
