import type { Workload } from '../workload.ts'

function points(metric: 'dot' | 'euclidean'): Workload {
  const [n, K, d] = [16384, 256, 64]
  return {
    name: `[${n}, ${d}], ${K} centroids, ${metric}`,
    make: random => ({
      tensors: { x: random.tensor([n, d]), centroids: random.tensor([K, d]) },
      params: { metric },
    }),
    limit: 'fma',
    work: 2 * n * K * d,
  }
}

export const workloads: readonly Workload[] = [points('dot'), points('euclidean')]
