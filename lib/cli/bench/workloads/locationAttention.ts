import type { Workload } from '../workload.ts'

const [B, Lq, Lk, D] = [4, 512, 512, 256]

export const workloads: readonly Workload[] = [
  {
    name: `${B}x${Lq}x${Lk}x${D}, prepared`,
    make: random => ({
      tensors: { query: random.tensor([B, Lq, D]), value: random.tensor([B, Lk, D]) },
      weights: { W: random.tensor([Lk, D], D ** -0.5) },
      prepared: true,
    }),
    limit: 'fma',
    work: 4 * B * Lq * Lk * D,
  },
]
