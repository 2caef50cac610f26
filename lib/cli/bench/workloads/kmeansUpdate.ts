import type { Workload } from '../workload.ts'

const [H, L, K, D] = [8, 4096, 32, 64]

export const workloads: readonly Workload[] = [
  {
    name: `1x${H}x${L}x${D}, ${K} centroids`,
    make: random => ({
      tensors: { x: random.tensor([1, H, L, D]), centroids: random.tensor([H, K, D]) },
      params: { decay: 0.999 },
    }),
    limit: 'fma',
    work: 2 * H * L * K * D,
  },
]
