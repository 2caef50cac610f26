import type { Workload } from '../workload.ts'

const [H, L, D, clusters, windowSize] = [8, 4096, 64, 32, 128]

/** Multiply-adds of routing and of attention; choosing the tokens counts for nothing. */
function routed(causal: boolean): Workload {
  const shape = [1, H, L, D]
  const pairs = causal ? (windowSize * (windowSize + 1)) / 2 : windowSize ** 2
  return {
    name: `1x${H}x${L}x${D}, ${clusters} clusters of ${windowSize}${causal ? ', shared, causal' : ''}`,
    make: random => ({
      tensors: {
        query: random.tensor(shape),
        ...(causal ? {} : { key: random.tensor(shape) }),
        value: random.tensor(shape),
        centroids: random.tensor([H, clusters, D]),
      },
      params: { windowSize, meanEps: 1e-5, sharedQK: causal, causal },
    }),
    limit: 'fma',
    work: H * clusters * ((causal ? 2 : 4) * L * D + 4 * pairs * D),
  }
}

export const workloads: readonly Workload[] = [routed(false), routed(true)]
