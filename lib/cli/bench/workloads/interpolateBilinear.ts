import type { Workload } from '../workload.ts'

export const workloads: readonly Workload[] = [
  {
    name: '4x64x56x56 to 112x112',
    make: random => ({
      tensors: { x: random.tensor([4, 64, 56, 56]) },
      params: { size: [112, 112] },
    }),
    limit: 'copy',
    work: 4 * 4 * 64 * (56 * 56 + 112 * 112),
  },
]
