import type { Tensor } from '../../../core/tensors/tensor.ts'
import type { Random } from '../random.ts'
import type { Workload } from '../workload.ts'
import { normWeights } from './shared/norm.ts'

const [B, C, inner, size] = [4, 64, 32, 64]

function projection(
  random: Random,
  name: string,
  out: number,
  ins: number,
): Record<string, Tensor> {
  return {
    [`${name}.0.conv.weight`]: random.tensor([out, ins, 1, 1]),
    [`${name}.0.conv.bias`]: random.tensor([out]),
    ...normWeights(random, `${name}.1`, out),
  }
}

export const workloads: readonly Workload[] = [
  {
    name: `${B}x${C}x${size}x${size}, prepared`,
    make: random => ({
      tensors: {
        x: random.tensor([B, C, size, size]),
        gating: random.tensor([B, C, size, size]),
      },
      weights: {
        ...projection(random, 'W_g', inner, C),
        ...projection(random, 'W_x', inner, C),
        ...projection(random, 'psi', 1, inner),
      },
      prepared: true,
    }),
    limit: 'fma',
    work: 2 * B * size * size * 2 * inner * C,
  },
]
