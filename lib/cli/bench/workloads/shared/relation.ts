import type { Tensor } from '../../../../core/tensors/tensor.ts'
import type { Random } from '../../random.ts'
import type { Workload } from '../../workload.ts'
import { normWeights } from './norm.ts'

/** A map of person re-identification, as RGA's authors attend over it. */
export const map = { B: 4, C: 256, H: 16, W: 8 }
const ratio = 8

/** The weights of one half, by its name: `nodes` of `features` each. */
export function halfWeights(
  random: Random,
  name: 'spatial' | 'channel',
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

/** Embeddings of a half, then its relations without their matrix: what is left to be done. */
export function halfWork(nodes: number, features: number): number {
  const embedded = features / ratio
  return (
    2 * map.B * (3 * embedded * features * nodes + (4 * nodes * (nodes / ratio) * features) / ratio)
  )
}

/** With prepared weights, with plain ones, and on two threads. */
export function relationWorkloads(
  weights: (random: Random) => Record<string, Tensor>,
  work: number,
): readonly Workload[] {
  const name = `${map.B}x${map.C}x${map.H}x${map.W}`
  const row = (prepared: boolean): Workload => ({
    name: prepared ? `${name}, prepared` : name,
    make: random => ({
      tensors: { x: random.tensor([map.B, map.C, map.H, map.W]) },
      weights: weights(random),
      prepared,
    }),
    limit: 'fma',
    work,
    ...(prepared ? {} : { against: `${name}, prepared` }),
  })
  return [
    row(true),
    row(false),
    {
      ...row(true),
      name: `${name}, prepared, 2 threads`,
      threads: 2,
      against: `${name}, prepared`,
      atMost: 1 / 1.8,
    },
  ]
}
