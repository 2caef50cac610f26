import { routingAttention, type Tensor, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention } from './shared/attention.ts'
import { learnCentroids } from './shared/clusters.ts'
import * as reference from './shared/reference.ts'

const clusters = 8

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Patches are sorted into eight clusters by what they look like, an eighth of them in each; a patch sees those that fell into the same clusters, wherever they are.',
  show(photo, bench) {
    const { coarse } = photo
    const { heads, count } = coarse
    const scale = defaultScale(heads)
    const windowSize = Math.ceil(count / clusters)
    const centroids = learnCentroids(heads, clusters, 8)
    const options = { windowSize, scale, meanEps: 1e-5 }
    const members = membersOf(heads, centroids, windowSize)
    return showAttention(photo, bench, {
      tokens: coarse,
      query: heads,
      attend: value => routingAttention(heads, heads, value, centroids, options).out,
      sees: (query, key, head) => members[head]!.some(each => each.has(query) && each.has(key)),
      expected: value => expected(heads, value, scale, members, options.meanEps),
    })
  },
}

/**
 * The tokens of each cluster, [H][clusters]: those that get something from it when it is alone. Patches that
 * look alike are equally near up to rounding, so no other computation would be sure to choose the same.
 */
function membersOf(x: Tensor, { data, shape }: Tensor, windowSize: number): Set<number>[][] {
  const [heads, , size] = shape as [number, number, number]
  const length = x.shape[2]!
  const ones = tensor(Float32Array.of(1), [1, heads, length, 1], { strides: [0, 0, 0, 0] })
  const outputs = Array.from({ length: clusters }, (_, c) => {
    const options = { strides: [clusters * size, size, 1], offset: c * size }
    const one = tensor(data, [heads, 1, size], options)
    return routingAttention(x, x, ones, one, { windowSize, meanEps: 0 }).out.data
  })
  return Array.from({ length: heads }, (_, head) =>
    outputs.map(out => new Set([...Array(length).keys()].filter(i => out[head * length + i]! > 0))),
  )
}

/** The mean, over the clusters that took a token, of attention inside each. */
function expected(
  x: Tensor,
  value: Tensor,
  scale: number,
  members: readonly (readonly ReadonlySet<number>[])[],
  eps: number,
): Float64Array {
  const [, heads, length, size] = value.shape as [number, number, number, number]
  const out = new Float64Array(heads * length * size)
  const taken = new Float64Array(heads * length)
  for (let c = 0; c < clusters; c++) {
    const inside = (i: number, j: number, head: number): boolean =>
      members[head]![c]!.has(i) && members[head]![c]!.has(j)
    const one = reference.attention(x, x, value, scale, inside)
    for (let row = 0; row < heads * length; row++) {
      if (!members[Math.floor(row / length)]![c]!.has(row % length)) continue
      taken[row]!++
      for (let k = 0; k < size; k++) out[row * size + k]! += one[row * size + k]!
    }
  }
  return out.map((sum, at) => sum / (taken[Math.floor(at / size)]! + eps || 1))
}
