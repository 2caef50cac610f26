import type { Workload } from '../workload.ts'

export const workloads: readonly Workload[] = [
  {
    name: '1x32x16x32x32 to 32x64x64',
    make: random => ({
      tensors: { x: random.tensor([1, 32, 16, 32, 32]) },
      params: { size: [32, 64, 64] },
    }),
    limit: 'copy',
    work: 4 * 32 * (16 * 32 * 32 + 32 * 64 * 64),
  },
]
