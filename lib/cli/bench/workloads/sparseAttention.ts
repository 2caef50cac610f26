import type { Workload } from '../workload.ts'

const H = 8
const D = 64

/** Pairs of the strided pattern, causal: the last `stride` keys, and every stride-th before them. */
function stridedPairs(L: number, stride: number): number {
  let pairs = 0
  for (let i = 0; i < L; i++) pairs += Math.min(i + 1, stride) + Math.floor(i / stride)
  return pairs
}

/** Pairs of the fixed pattern, causal: the block so far, and one summary column of each before it. */
function fixedPairs(L: number, stride: number): number {
  let pairs = 0
  for (let i = 0; i < L; i++) pairs += (i % stride) + 1 + Math.floor(i / stride)
  return pairs
}

function workload(pattern: 'strided' | 'fixed', L: number): Workload {
  const stride = Math.sqrt(L)
  const count = (pattern === 'strided' ? stridedPairs : fixedPairs)(L, stride)
  return {
    name: `1x${H}x${L}x${D} ${pattern}, stride ${stride}`,
    make: random => ({
      tensors: {
        query: random.tensor([1, H, L, D]),
        key: random.tensor([1, H, L, D]),
        value: random.tensor([1, H, L, D]),
      },
      params: { pattern, stride, ...(pattern === 'fixed' ? { summary: 1 } : {}) },
    }),
    limit: 'fma',
    work: 4 * H * D * count,
    withoutPeers: true,
  }
}

/** With a stride of sqrt(L), four times the length is eight times the work. */
function longer(pattern: 'strided' | 'fixed'): Workload {
  return { ...workload(pattern, 16384), against: workload(pattern, 4096).name, atMost: 8.8 }
}

export const workloads: readonly Workload[] = [
  workload('strided', 4096),
  longer('strided'),
  workload('fixed', 4096),
  longer('fixed'),
]
