// One half of relation-aware attention with weights written by hand: what is unlike everything else is
// kept, what is like most of the picture fades.
import type { Tensor } from '../../../index.ts'
import { convolution, norm, type Rows, sigmoid } from './handmade.ts'

/** Features by node. */
export type Nodes = readonly Float64Array[]

export interface RelationHalf {
  readonly weights: Record<string, Tensor>
  /** Of each node, in plain float64: every relation is formed, as the paper writes it. */
  readonly attention: Float64Array
}

/** Of deviations from the mean relation to the logits of the attention. */
const sharpness = 1.5
const offset = 1

const repeated = (times: number, row: ArrayLike<number>): Rows =>
  Array.from({ length: times }, () => row)

/**
 * Nodes embedded by the rows of `embedding` are related by their products; R is the mean of a node's
 * relations, both ways, and attention = sigmoid(sharpness relu(offset - deviation of R) - 1). Where the
 * ratios ask for more channels than one, all of them are the same.
 */
export function relate(
  half: 'spatial' | 'channel',
  nodes: Nodes,
  embedding: Rows,
  { related = 1, hidden = 1 } = {},
): RelationHalf {
  const embedded = nodes.map(node =>
    embedding.map(row => {
      let sum = 0
      for (let k = 0; k < node.length; k++) sum += row[k]! * node[k]!
      return Math.max(sum, 0)
    }),
  )
  const count = nodes.length
  const relations = new Float64Array(count)
  for (let p = 0; p < count; p++) {
    for (let k = 0; k < count; k++) {
      let product = 0
      for (let c = 0; c < embedding.length; c++) product += embedded[p]![c]! * embedded[k]![c]!
      // G[p, k] for node p, and for node k as what relates to it.
      relations[p]! += product / (2 * count)
      relations[k]! += product / (2 * count)
    }
  }
  const centre = relations.reduce((sum, r) => sum + r / count, 0)
  const deviation = Math.sqrt(relations.reduce((sum, r) => sum + (r - centre) ** 2 / count, 0)) || 1
  const same = new Float64Array(2 * count).fill(1 / (2 * count))
  const layer = (name: string, rows: Rows): Record<string, Tensor> => ({
    ...convolution(`${name}_${half}.0`, rows),
    ...norm(`${name}_${half}.1`, rows.length),
  })
  return {
    weights: {
      ...layer('theta', embedding),
      ...layer('phi', embedding),
      ...layer('gx', embedding),
      ...layer('gg', repeated(related, same)),
      // The norms hold the statistics of this picture, as those of a trained network hold its pictures'.
      ...convolution(
        `W_${half}.0`,
        repeated(hidden, [0, ...new Array<number>(related).fill(-1 / (deviation * related))]),
      ),
      ...norm(`W_${half}.1`, hidden, { centre: -centre / deviation, shift: offset }),
      ...convolution(`W_${half}.3`, [new Array<number>(hidden).fill(sharpness / hidden)]),
      ...norm(`W_${half}.4`, 1, { shift: -1 }),
    },
    attention: relations.map(r =>
      sigmoid(sharpness * Math.max(offset - (r - centre) / deviation, 0) - 1),
    ),
  }
}

/** The positions of a map [channels, count] with their channels, or its channels with their positions. */
export const positionsOf = (map: ArrayLike<number>, count: number): Nodes =>
  Array.from({ length: count }, (_, p) =>
    Float64Array.from({ length: map.length / count }, (_, c) => map[c * count + p]!),
  )
export const channelsOf = (map: ArrayLike<number>, count: number): Nodes =>
  Array.from({ length: map.length / count }, (_, c) =>
    Float64Array.from({ length: count }, (_, p) => map[c * count + p]!),
  )

/** The means of the four quarters of a map, as rows over its positions. */
export function quarters({ rows, columns }: { rows: number; columns: number }): Rows {
  const quarterOf = (p: number): number =>
    (Math.floor(p / columns) * 2 >= rows ? 2 : 0) + ((p % columns) * 2 >= columns ? 1 : 0)
  const count = rows * columns
  return [0, 1, 2, 3].map(quarter => {
    const inside = Array.from({ length: count }, (_, p) => +(quarterOf(p) === quarter))
    const size = inside.reduce((a, b) => a + b)
    return inside.map(each => each / size)
  })
}
