import type { Workload } from '../workload.ts'

function rows(count: number, width: number, note = ''): Workload {
  return {
    name: `[${count}, ${width}]${note}`,
    make: random => ({
      tensors: { x: random.tensor([count, width]) },
      weights: { weight: random.tensor([width]), bias: random.tensor([width]) },
    }),
    limit: 'copy',
    work: 2 * 4 * count * width,
  }
}

export const workloads: readonly Workload[] = [
  rows(16384, 768), // far beyond any cache
  rows(197, 384, ', in cache'),
]
