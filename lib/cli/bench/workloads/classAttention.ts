import type { Workload } from '../workload.ts'

/** CaiT's class attention over N patches. */
function layer(B: number, N: number, C: number, heads: number): Workload {
  return {
    name: `${B}x(1+${N})x${C}, ${heads} heads, prepared`,
    make: random => ({
      tensors: { x: random.tensor([B, 1 + N, C]) },
      weights: {
        'q.weight': random.layer([C, C]),
        'k.weight': random.layer([C, C]),
        'v.weight': random.layer([C, C]),
        'proj.weight': random.layer([C, C]),
        'proj.bias': random.tensor([C]),
      },
      params: { heads },
      prepared: true,
    }),
    // With the projections of keys and values folded away little is left but reading weights and tokens.
    limit: 'read',
    work: 4 * (4 * C * C + B * (1 + N) * C),
  }
}

export const workloads: readonly Workload[] = [layer(8, 196, 384, 8), layer(1, 784, 768, 16)]
