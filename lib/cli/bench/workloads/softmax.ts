import type { Workload } from '../workload.ts'

/** Rows far beyond any cache: what counts is reading and writing each element once. */
export const workloads: readonly Workload[] = [
  {
    name: '[16384, 1024]',
    make: random => ({ tensors: { x: random.tensor([16384, 1024], 4) } }),
    limit: 'copy',
    work: 2 * 4 * 16384 * 1024,
  },
  {
    name: '[197, 197], in cache',
    make: random => ({ tensors: { x: random.tensor([197, 197], 4) } }),
    limit: 'copy',
    work: 2 * 4 * 197 * 197,
  },
]
