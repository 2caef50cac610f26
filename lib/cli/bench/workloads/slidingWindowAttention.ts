import type { Random } from '../random.ts'
import type { Inputs, Workload } from '../workload.ts'

const H = 8
const D = 64

/** Pairs that `reach` keys on either side of each query make, cut at the ends. */
function pairs(L: number, reach: number): number {
  return L * (2 * reach + 1) - reach * (reach + 1)
}

function inputs(L: number, params: Inputs['params'], more?: (random: Random) => Inputs['tensors']) {
  return (random: Random): Inputs => ({
    tensors: {
      query: random.tensor([1, H, L, D]),
      key: random.tensor([1, H, L, D]),
      value: random.tensor([1, H, L, D]),
      ...more?.(random),
    },
    params: { ...params },
  })
}

/** Useful work alone: two products of D elements a pair. */
function window(L: number, reach: number): Workload {
  return {
    name: `1x${H}x${L}x${D}, ${reach} keys either side`,
    make: inputs(L, { windowLeft: reach, windowRight: reach }),
    limit: 'fma',
    work: 4 * H * D * pairs(L, reach),
  }
}

const long = window(8192, 128)

export const workloads: readonly Workload[] = [
  { ...long, goal: 0.6 },
  { ...window(16384, 128), against: long.name, atMost: 2.1 },
  {
    ...long,
    name: `${long.name}, dilation 4`,
    make: inputs(8192, { windowLeft: 128, windowRight: 128, dilation: 4 }),
    work: 4 * H * D * 4 * pairs(8192 / 4, 128),
    against: long.name,
  },
  {
    ...long,
    name: `${long.name}, 8 global tokens`,
    make: inputs(8192, { windowLeft: 128, windowRight: 128 }, () => ({
      globalTokens: {
        data: Uint8Array.from({ length: 8192 }, (_, i) => Number(i % 1024 === 0)),
        shape: [1, 8192],
      },
    })),
    // Each ordinary row sees the 8 too, but for those within its window; each of the 8 sees every key.
    work: 4 * H * D * (pairs(8192, 128) + 16 * 8192 - (2 * pairs(8192, 128)) / 1024),
    against: long.name,
  },
  { ...long, name: `${long.name}, 2 threads`, threads: 2, against: long.name, atMost: 1 / 1.8 },
]
