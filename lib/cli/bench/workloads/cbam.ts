import type { Workload } from '../workload.ts'
import { normWeights } from './shared/norm.ts'

const [B, C, size, R] = [8, 256, 56, 16]

function gate(prepared: boolean): Workload {
  const name = `${B}x${C}x${size}x${size}`
  return {
    name: prepared ? `${name}, prepared` : name,
    make: random => ({
      tensors: { x: random.tensor([B, C, size, size]) },
      weights: {
        'ChannelGate.mlp.1.weight': random.tensor([R, C]),
        'ChannelGate.mlp.1.bias': random.tensor([R]),
        'ChannelGate.mlp.3.weight': random.tensor([C, R]),
        'ChannelGate.mlp.3.bias': random.tensor([C]),
        'SpatialGate.spatial.conv.weight': random.tensor([1, 2, 7, 7]),
        ...normWeights(random, 'SpatialGate.spatial.bn', 1),
      },
      prepared,
    }),
    limit: 'copy',
    work: 4 * 4 * B * C * size * size, // x is read three times
    ...(prepared ? {} : { against: `${name}, prepared` }),
  }
}

export const workloads: readonly Workload[] = [gate(true), gate(false)]
