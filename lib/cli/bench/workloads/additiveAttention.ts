import type { Workload } from '../workload.ts'

/** Encoder states of a translation, all decoder steps at once; or one of them. */
function alignment(B: number, Lq: number, Lk: number, A: number, D: number): Workload {
  const terms = B * Lq * Lk * A
  return {
    name: `${B}x${Lq}x${Lk}, ${A} channels, prepared`,
    make: random => ({
      tensors: {
        query: random.tensor([B, Lq, D]),
        key: random.tensor([B, Lk, D]),
        value: random.tensor([B, Lk, D]),
      },
      weights: {
        Wq: random.tensor([A, D], D ** -0.5),
        Wk: random.tensor([A, D], D ** -0.5),
        v: random.tensor([A]),
      },
      prepared: true,
    }),
    limit: 'fma',
    // An exponential and its share of a division and of the sums count as 24: the bar of 1.2e9 terms a
    // second is 29 GFLOP/s.
    work: 24 * terms + 2 * B * (Lq + Lk) * D * A + 2 * B * Lq * Lk * D,
  }
}

export const workloads: readonly Workload[] = [
  alignment(4, 128, 512, 256, 256),
  alignment(16, 1, 1024, 512, 512),
]
