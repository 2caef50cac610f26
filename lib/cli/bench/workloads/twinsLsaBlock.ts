import type { Workload } from '../workload.ts'

const [B, side, C, heads, windowSize] = [4, 56, 64, 2, 7]
const N = side ** 2

export const workloads: readonly Workload[] = [
  {
    name: `${B}x${side}x${side}x${C}, ${heads} heads, prepared`,
    make: random => ({
      tensors: { x: random.tensor([B, N, C]) },
      weights: {
        'qkv.weight': random.layer([3 * C, C]),
        'qkv.bias': random.tensor([3 * C]),
        'proj.weight': random.layer([C, C]),
        'proj.bias': random.tensor([C]),
      },
      params: { heads, windowSize, height: side, width: side },
      prepared: true,
    }),
    limit: 'fma',
    work: B * N * (8 * C * C + 4 * C * windowSize ** 2),
  },
]
