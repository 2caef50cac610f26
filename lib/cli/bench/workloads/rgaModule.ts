import type { Tensor } from '../../../core/tensor.ts'
import { normWeights } from '../norm.ts'
import type { Random } from '../random.ts'
import type { Workload } from '../workload.ts'

const [B, C, H, W] = [4, 256, 16, 8]
const N = H * W
const ratio = 8

function half(
  random: Random,
  name: string,
  nodes: number,
  features: number,
): Record<string, Tensor> {
  const [embedded, related] = [features / ratio, nodes / ratio]
  const hidden = Math.floor((1 + related) / ratio)
  const layer = (prefix: string, outs: number, ins: number): Record<string, Tensor> => ({
    [`${prefix}_${name}.0.weight`]: random.tensor([outs, ins, 1, 1], ins ** -0.5),
    ...normWeights(random, `${prefix}_${name}.1`, outs),
  })
  return {
    ...layer('theta', embedded, features),
    ...layer('phi', embedded, features),
    ...layer('gg', related, 2 * nodes),
    ...layer('gx', embedded, features),
    ...layer('W', hidden, 1 + related),
    [`W_${name}.3.weight`]: random.tensor([1, hidden, 1, 1]),
    ...normWeights(random, `W_${name}.4`, 1),
  }
}

const name = `${B}x${C}x${H}x${W}`
/** Embeddings of both halves, then relations without their matrices: what is left to be done. */
const work =
  2 *
  B *
  (3 * (C / ratio) * C * N +
    3 * (N / ratio) * N * C +
    (4 * N * (N / ratio) * C + 4 * C * (C / ratio) * N) / ratio)

const module = (prepared: boolean): Workload => ({
  name: prepared ? `${name}, prepared` : name,
  make: random => ({
    tensors: { x: random.tensor([B, C, H, W]) },
    weights: { ...half(random, 'spatial', N, C), ...half(random, 'channel', C, N) },
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
