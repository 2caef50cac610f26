import type { Workload } from '../workload.ts'

/** Reads each part once and writes their sum: far beyond any cache. */
function workload(parts: number, H: number, L: number, D: number): Workload {
  return {
    name: `${parts} parts of 1x${H}x${L}x${D}`,
    make: random => ({
      tensors: {
        outs: random.tensor([parts, 1, H, L, D]),
        lses: random.tensor([parts, 1, H, L]),
      },
    }),
    limit: 'copy',
    work: 4 * H * L * (parts * (D + 1) + D),
    withoutPeers: true,
  }
}

export const workloads: readonly Workload[] = [workload(4, 8, 16384, 64)]
