import type { Workload } from '../workload.ts'
import { normWeights } from './shared/norm.ts'

const [B, C, G, inner, size] = [4, 64, 128, 32, 64]
const coarse = size / 2
const positions = B * size * size

function gate(prepared: boolean): Workload {
  const name = `${B}x${C}x${size}x${size}, gating ${G}x${coarse}x${coarse}`
  return {
    name: prepared ? `${name}, prepared` : name,
    make: random => ({
      tensors: {
        x: random.tensor([B, C, size, size]),
        gating: random.tensor([B, G, coarse, coarse]),
      },
      weights: {
        'theta.weight': random.tensor([inner, C, 2, 2]),
        'phi.weight': random.tensor([inner, G, 1, 1]),
        'phi.bias': random.tensor([inner]),
        'psi.weight': random.tensor([1, inner, 1, 1]),
        'psi.bias': random.tensor([1]),
        'W.0.weight': random.tensor([C, C, 1, 1]),
        'W.0.bias': random.tensor([C]),
        ...normWeights(random, 'W.1', C),
      },
      prepared,
    }),
    limit: 'fma',
    // theta and phi over the coarse grid, W over x
    work: 2 * positions * (inner * C + (inner * G) / 4 + C * C),
    ...(prepared ? {} : { against: `${name}, prepared` }),
  }
}

export const workloads: readonly Workload[] = [gate(true), gate(false)]
