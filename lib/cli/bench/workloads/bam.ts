import type { Tensor } from '../../../core/tensors/tensor.ts'
import type { Random } from '../random.ts'
import type { Workload } from '../workload.ts'
import { normWeights } from './shared/norm.ts'

const [B, C, size, R] = [4, 256, 28, 16]

function layer(
  random: Random,
  name: string,
  shape: readonly number[],
  norm?: string,
): Record<string, Tensor> {
  return {
    [`${name}.weight`]: random.tensor(shape),
    [`${name}.bias`]: random.tensor(shape.slice(0, 1)),
    ...(norm === undefined ? {} : normWeights(random, norm, shape[0]!)),
  }
}

function gate(prepared: boolean): Workload {
  const [c, s] = ['channel_att.gate_c.gate_c', 'spatial_att.gate_s.gate_s']
  const name = `${B}x${C}x${size}x${size}`
  return {
    name: prepared ? `${name}, prepared` : name,
    make: random => ({
      tensors: { x: random.tensor([B, C, size, size]) },
      weights: {
        ...layer(random, `${c}_fc_0`, [R, C], `${c}_bn_1`),
        ...layer(random, `${c}_fc_final`, [C, R]),
        ...layer(random, `${s}_conv_reduce0`, [R, C, 1, 1], `${s}_bn_reduce0`),
        ...layer(random, `${s}_conv_di_0`, [R, R, 3, 3], `${s}_bn_di_0`),
        ...layer(random, `${s}_conv_di_1`, [R, R, 3, 3], `${s}_bn_di_1`),
        ...layer(random, `${s}_conv_final`, [1, R, 1, 1]),
      },
      prepared,
    }),
    limit: 'copy',
    work: 4 * 4 * B * C * size * size, // x is read three times
    ...(prepared ? {} : { against: `${name}, prepared` }),
  }
}

export const workloads: readonly Workload[] = [gate(true), gate(false)]
