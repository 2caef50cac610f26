import type { Tensor } from '../../../core/tensors/tensor.ts'
import type { Random } from '../random.ts'
import type { Workload } from '../workload.ts'
import { normWeights } from './shared/norm.ts'

const [B, C, H, W] = [2, 256, 24, 8]
const m = C / 16
const products = (m * (m + 1)) / 2

const layer = (
  random: Random,
  name: string,
  outs: number,
  ins: number,
): Record<string, Tensor> => ({
  [`${name}.conv.conv.weight`]: random.tensor([outs, ins, 1, 1], ins ** -0.5),
  [`${name}.conv.conv.bias`]: random.tensor([outs]),
  ...normWeights(random, `${name}.conv.bn`, outs),
})

const name = `${B}x${C}x${H}x${W}`
const attention = (prepared: boolean): Workload => ({
  name: prepared ? `${name}, prepared` : name,
  make: random => ({
    tensors: { x: random.tensor([B, C, H, W]) },
    weights: {
      ...layer(random, 'dimReduceLayer1', m, C),
      ...layer(random, 'dimReduceLayer2', C, products),
      ...layer(random, 'dimReduceLayer3', C, products),
    },
    prepared,
  }),
  limit: 'fma',
  work: 2 * B * H * W * C * (m + products),
  ...(prepared ? {} : { against: `${name}, prepared` }),
})

export const workloads: readonly Workload[] = [
  attention(true),
  attention(false),
  {
    ...attention(true),
    name: `${name}, prepared, 2 threads`,
    threads: 2,
    against: `${name}, prepared`,
    atMost: 1 / 1.8,
  },
]
