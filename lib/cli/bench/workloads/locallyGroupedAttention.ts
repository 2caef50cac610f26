import type { Workload } from '../workload.ts'

const [B, H, D] = [4, 2, 32]

/** Windows of 7 x 7 tokens on a square map; useful work alone where the last are cut. */
function windows(side: number): Workload {
  const window = 7
  const cut = side % window
  const pairsAlong = Math.floor(side / window) * window ** 2 + cut ** 2
  const shape = [B, H, side ** 2, D]
  return {
    name: `${B}x${H}x${side}x${side}x${D}, windows 7x7`,
    make: random => ({
      tensors: {
        query: random.tensor(shape),
        key: random.tensor(shape),
        value: random.tensor(shape),
      },
      params: { height: side, width: side, windowHeight: window, windowWidth: window },
    }),
    limit: 'fma',
    work: 4 * D * B * H * pairsAlong ** 2,
  }
}

const even = windows(56)

export const workloads: readonly Workload[] = [
  { ...even, goal: 0.35 },
  { ...even, name: `${even.name}, 2 threads`, threads: 2, against: even.name, atMost: 1 / 1.8 },
  windows(60),
]
