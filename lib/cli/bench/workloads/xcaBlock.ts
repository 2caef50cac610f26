import type { Workload } from '../workload.ts'

const [B, N, C, heads] = [4, 784, 384, 8]

export const workloads: readonly Workload[] = [
  {
    name: `${B}x${N}x${C}, ${heads} heads, prepared`,
    make: random => ({
      tensors: { x: random.tensor([B, N, C]) },
      weights: {
        temperature: random.tensor([heads, 1, 1]),
        'qkv.weight': random.tensor([3 * C, C]),
        'proj.weight': random.tensor([C, C]),
        'proj.bias': random.tensor([C]),
      },
      params: { heads },
      prepared: true,
    }),
    limit: 'fma',
    work: B * N * (8 * C * C + (4 * C * C) / heads),
  },
]
