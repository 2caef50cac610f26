import type { Workload } from '../workload.ts'

/** Padded so that the map keeps its size. */
function convolution(C: number, out: number, size: number, kernel: number): Workload {
  return {
    name: `1x${C}x${size}x${size}x${size} to ${out}, ${kernel}x${kernel}x${kernel}, prepared`,
    make: random => ({
      tensors: { x: random.tensor([1, C, size, size, size]) },
      weights: {
        weight: random.tensor([out, C, kernel, kernel, kernel]),
        bias: random.tensor([out]),
      },
      prepared: true,
      params: { padding: (kernel - 1) / 2 },
    }),
    limit: 'fma',
    work: 2 * out * size ** 3 * C * kernel ** 3,
  }
}

export const workloads: readonly Workload[] = [
  convolution(32, 32, 28, 3),
  convolution(64, 64, 28, 1),
]
