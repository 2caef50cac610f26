import type { Workload } from '../workload.ts'

const shape = [8, 256, 28, 28]
const elements = 8 * 256 * 28 * 28

/** `reads` of the two tensors, one writing of out. */
const gate = (activation: string, reads: number): Workload => ({
  name: `${shape.join('x')}, ${activation}`,
  make: random => ({
    tensors: { trunk: random.tensor(shape), maskLogits: random.tensor(shape) },
    params: { activation },
  }),
  limit: 'copy',
  work: 4 * elements * (reads + 1),
})

export const workloads: readonly Workload[] = [
  gate('mixed', 2),
  gate('channel', 3),
  gate('spatial', 3),
]
