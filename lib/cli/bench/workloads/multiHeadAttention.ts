import type { Workload } from '../workload.ts'

/** Self-attention of a transformer's layer, projections included. */
function layer(B: number, L: number, E: number, heads: number): Workload {
  return {
    name: `${B}x${L}x${E}, ${heads} heads, prepared`,
    make: random => {
      const x = random.tensor([B, L, E])
      return {
        tensors: { query: x, key: x, value: x },
        weights: {
          in_proj_weight: random.layer([3 * E, E]),
          'out_proj.weight': random.layer([E, E]),
        },
        params: { heads },
        prepared: true,
      }
    },
    limit: 'fma',
    work: B * (8 * L * E * E + 4 * L * L * E),
  }
}

export const workloads: readonly Workload[] = [layer(1, 512, 512, 8), layer(8, 197, 768, 12)]
