import type { Workload } from '../workload.ts'

function elements(count: number, width: number, note = ''): Workload {
  return {
    name: `[${count}, ${width}]${note}`,
    make: random => ({ tensors: { x: random.tensor([count, width], 4) } }),
    limit: 'copy',
    work: 2 * 4 * count * width,
  }
}

export const workloads: readonly Workload[] = [
  elements(8192, 3072), // far beyond any cache
  elements(197, 1536, ', in cache'),
]
