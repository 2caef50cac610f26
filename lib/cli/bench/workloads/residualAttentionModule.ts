import type { Tensor } from '../../../core/tensors/tensor.ts'
import type { Random } from '../random.ts'
import type { Workload } from '../workload.ts'
import { normWeights } from './shared/norm.ts'

const [C, size] = [256, 56]
const stage1 = [
  'first_residual_blocks',
  'trunk_branches.0',
  'trunk_branches.1',
  ...['softmax1_blocks', 'softmax2_blocks', 'softmax3_blocks.0', 'softmax3_blocks.1'],
  ...['softmax4_blocks', 'softmax5_blocks'],
  ...['skip1_connection_residual_block', 'skip2_connection_residual_block'],
  'last_blocks',
]

function stateDict(random: Random): Record<string, Tensor> {
  const unit = (norm: string, conv: string, outs: number, ins: number, k = 1): object => ({
    ...normWeights(random, norm, ins),
    [`${conv}.weight`]: random.tensor([outs, ins, k, k], (ins * k * k) ** -0.5),
  })
  const block = (name: string): object => ({
    ...unit(`${name}.bn1`, `${name}.conv1`, C / 4, C),
    ...unit(`${name}.bn2`, `${name}.conv2`, C / 4, C / 4, 3),
    ...unit(`${name}.bn3`, `${name}.conv3`, C, C / 4),
  })
  return Object.assign(
    {},
    ...stage1.map(block),
    unit('softmax6_blocks.0', 'softmax6_blocks.2', C, C),
    unit('softmax6_blocks.3', 'softmax6_blocks.5', C, C),
  ) as Record<string, Tensor>
}

/** Multiply-adds a position: of a bottleneck, and of the head. */
const bottleneck = 2 * (C / 4) * C + 9 * (C / 4) ** 2
const positions = (level: number): number => (size / 2 ** level) ** 2
const work =
  2 *
  (positions(0) * (4 * bottleneck + 2 * C * C) +
    (3 * (positions(1) + positions(2)) + 2 * positions(3)) * bottleneck)

const name = `1x${C}x${size}x${size}, stage 1`
const module = (prepared: boolean): Workload => ({
  name: prepared ? `${name}, prepared` : name,
  make: random => ({
    tensors: { x: random.tensor([1, C, size, size]) },
    weights: stateDict(random),
    params: { stage: 1 },
    prepared,
  }),
  limit: 'fma',
  work,
  ...(prepared ? {} : { against: `${name}, prepared` }),
})

export const workloads: readonly Workload[] = [
  module(true),
  module(false),
  {
    ...module(true),
    name: `${name}, prepared, 2 threads`,
    threads: 2,
    against: `${name}, prepared`,
    atMost: 1 / 1.8,
  },
]
