import type { Workload } from '../workload.ts'

const [B, C, size] = [8, 256, 56]

export const workloads: readonly Workload[] = [
  {
    name: `${B}x${C}x${size}x${size}, prepared`,
    make: random => ({
      tensors: { x: random.tensor([B, C, size, size]) },
      weights: { 'fc.weight': random.tensor([C, C, 1, 1]), 'fc.bias': random.tensor([C]) },
      prepared: true,
    }),
    limit: 'copy',
    work: 3 * 4 * B * C * size * size, // x is read twice
  },
]
