import type { Workload } from '../workload.ts'

const H = 8
const D = 64
const blockSize = 64

/** Block rows that see the `band` blocks up to their own, and the first. */
function banded(rows: number, band: number): { offsets: number[]; columns: number[] } {
  const offsets = [0]
  const columns: number[] = []
  for (let row = 0; row < rows; row++) {
    const first = Math.max(0, row - band + 1)
    if (first > 0) columns.push(0)
    for (let column = first; column <= row; column++) columns.push(column)
    offsets.push(columns.length)
  }
  return { offsets, columns }
}

function workload(L: number, band: number): Workload {
  const { offsets, columns } = banded(L / blockSize, band)
  return {
    name: `1x${H}x${L}x${D}, blocks of ${blockSize}, ${band} in a band and the first`,
    make: random => ({
      tensors: {
        query: random.tensor([1, H, L, D]),
        key: random.tensor([1, H, L, D]),
        value: random.tensor([1, H, L, D]),
        rowOffsets: { data: Int32Array.from(offsets), shape: [offsets.length] },
        columnIndices: { data: Int32Array.from(columns), shape: [columns.length] },
      },
      params: { blockSize },
    }),
    limit: 'fma',
    work: 4 * H * D * columns.length * blockSize ** 2,
    withoutPeers: true,
  }
}

export const workloads: readonly Workload[] = [workload(4096, 8), workload(16384, 8)]
