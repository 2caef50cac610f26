import type { Workload } from '../workload.ts'

export const workloads: readonly Workload[] = [
  {
    name: '8x64x112x112, 3x3 by 2',
    make: random => ({
      tensors: { x: random.tensor([8, 64, 112, 112]) },
      params: { kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
    }),
    limit: 'copy',
    work: 4 * 8 * 64 * (112 * 112 + 56 * 56),
  },
]
