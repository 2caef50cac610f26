import type { Workload } from '../workload.ts'

const work = 4 * 4 * 8 * 784 * 48 * 48

const tokens: Workload = {
  name: '4x8x784x48',
  make: random => ({
    tensors: {
      query: random.tensor([4, 8, 784, 48]),
      key: random.tensor([4, 8, 784, 48]),
      value: random.tensor([4, 8, 784, 48]),
      temperature: random.tensor([8]),
    },
  }),
  limit: 'fma',
  work,
  goal: 0.6,
}

export const workloads: readonly Workload[] = [
  tokens,
  {
    ...tokens,
    name: `${tokens.name}, 2 threads`,
    threads: 2,
    against: tokens.name,
    atMost: 1 / 1.8,
  },
]
