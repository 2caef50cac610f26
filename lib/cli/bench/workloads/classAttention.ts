import type { Workload } from '../workload.ts'

/** CaiT's class attention over N patches. */
function layer(B: number, N: number, C: number, heads: number): Workload {
  return {
    name: `${B}x(1+${N})x${C}, ${heads} heads, prepared`,
    make: random => ({
      tensors: { x: random.tensor([B, 1 + N, C]) },
      weights: {
        'q.weight': random.tensor([C, C]),
        'k.weight': random.tensor([C, C]),
        'v.weight': random.tensor([C, C]),
        'proj.weight': random.tensor([C, C]),
        'proj.bias': random.tensor([C]),
      },
      params: { heads },
      prepared: true,
    }),
    limit: 'fma',
    // With the projections of keys and values folded away.
    work: B * (8 * C * C + 4 * (1 + N) * heads * C),
  }
}

export const workloads: readonly Workload[] = [layer(8, 196, 384, 8), layer(1, 784, 768, 16)]
