import type { Workload } from '../workload.ts'

function gate(B: number, C: number, R: number, size: number, prepared: boolean): Workload {
  const name = `${B}x${C}x${size}x${size}, hidden ${R}`
  return {
    name: prepared ? `${name}, prepared` : name,
    make: random => ({
      tensors: { x: random.tensor([B, C, size, size]) },
      weights: {
        'fc1.weight': random.tensor([R, C]),
        'fc1.bias': random.tensor([R]),
        'fc2.weight': random.tensor([C, R]),
        'fc2.bias': random.tensor([C]),
      },
      prepared,
    }),
    limit: 'copy',
    work: 3 * 4 * B * C * size * size, // x is read twice
    ...(prepared ? {} : { against: `${name}, prepared` }),
  }
}

const large = gate(8, 256, 16, 112, true)

export const workloads: readonly Workload[] = [
  { ...large, goal: 0.75 },
  gate(8, 256, 16, 112, false),
  gate(8, 256, 16, 14, true), // in a cache
  gate(8, 256, 16, 14, false),
  {
    ...large,
    name: `${large.name}, 2 threads`,
    threads: 2,
    against: large.name,
    atMost: 1 / 1.8,
  },
]
