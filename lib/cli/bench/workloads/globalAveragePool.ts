import type { Workload } from '../workload.ts'

function map(B: number, C: number, size: number, note = ''): Workload {
  return {
    name: `${B}x${C}x${size}x${size}${note}`,
    make: random => ({ tensors: { x: random.tensor([B, C, size, size]) } }),
    limit: 'read',
    work: 4 * B * C * size * size,
  }
}

export const workloads: readonly Workload[] = [
  map(8, 256, 112), // far beyond any cache
  map(1, 256, 14, ', in cache'),
]
