import type { Workload } from '../workload.ts'

/** A stage of Twins-SVT-S. */
function stage(B: number, side: number, C: number, heads: number, r: number): Workload {
  const [N, M] = [side * side, Math.floor(side / r) ** 2]
  return {
    name: `${B}x${side}x${side}x${C}, ${heads} heads, ratio ${r}, prepared`,
    make: random => ({
      tensors: { x: random.tensor([B, N, C]) },
      weights: {
        'q.weight': random.layer([C, C]),
        'kv.weight': random.layer([2 * C, C]),
        'proj.weight': random.layer([C, C]),
        'proj.bias': random.tensor([C]),
        'sr.weight': random.layer([C, C, r, r]),
        'sr.bias': random.tensor([C]),
        'norm.weight': random.tensor([C]),
        'norm.bias': random.tensor([C]),
      },
      params: { heads, height: side, width: side },
      prepared: true,
    }),
    limit: 'fma',
    work: B * C * (4 * N * C + M * C * (4 + 2 * r * r) + 4 * N * M),
  }
}

export const workloads: readonly Workload[] = [
  stage(4, 56, 64, 2, 8),
  stage(4, 28, 128, 4, 4),
  stage(4, 14, 256, 8, 2),
]
