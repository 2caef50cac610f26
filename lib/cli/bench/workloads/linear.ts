import type { Workload } from '../workload.ts'

/** x [M, K] times a weight [N, K], as a transformer's layers have it. */
function product(M: number, K: number, N: number, prepared: boolean, goal?: number): Workload {
  const shape = `[${M}, ${K}] x [${K}, ${N}]`
  return {
    name: prepared ? `${shape}, prepared` : shape,
    make: random => ({
      tensors: { x: random.tensor([M, K]) },
      weights: { weight: random.tensor([N, K]), bias: random.tensor([N]) },
      prepared,
    }),
    limit: 'fma',
    work: 2 * M * N * K,
    ...(goal === undefined ? {} : { goal }),
    ...(prepared ? {} : { against: `${shape}, prepared` }),
  }
}

export const workloads: readonly Workload[] = [
  product(4096, 768, 3072, true, 0.9),
  product(4096, 768, 3072, false),
  product(197, 384, 1152, true, 0.8),
  product(197, 384, 1152, false),
  {
    // One token: every weight is read for two operations.
    ...product(1, 4096, 16384, true),
    limit: 'read',
    work: 4 * 4096 * 16384,
  },
  {
    ...product(4096, 768, 3072, true),
    name: '[4096, 768] x [768, 3072], prepared, 2 threads',
    threads: 2,
    against: '[4096, 768] x [768, 3072], prepared',
    atMost: 1 / 1.9,
  },
]
