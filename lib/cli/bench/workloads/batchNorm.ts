import { tensor } from '../../../core/tensors/makeTensor.ts'
import type { Workload } from '../workload.ts'

const shape = [8, 64, 56, 56]

export const workloads: readonly Workload[] = [
  {
    name: '8x64x56x56, prepared',
    make: random => ({
      tensors: { x: random.tensor(shape) },
      weights: {
        running_mean: random.tensor([64]),
        running_var: tensor(new Float32Array(64).fill(1.5), [64]),
        weight: random.tensor([64]),
        bias: random.tensor([64]),
      },
      prepared: true,
    }),
    limit: 'copy',
    work: 2 * 4 * 8 * 64 * 56 * 56,
  },
]
