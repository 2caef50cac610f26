import { kmeansUpdate, type Tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { largest, learnCentroids, similarities, unit } from './shared/clusters.ts'
import { drawHeat } from './shared/draw.ts'

const clusters = 12
const decay = 0.2

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Centroids move towards the patches that chose them. The lighter a patch, the closer it is to its centroid, before and after eight steps.',
  show(photo, bench) {
    const { fine } = photo
    const { appearance, count } = fine
    const size = appearance.shape[3]!
    const start = learnCentroids(appearance, clusters, 0)
    const { row } = bench.measure({
      label: `${fine.patch} px patches, ${clusters} clusters`,
      shape: `1×1×${count}×${size} → ${clusters}`,
      flops: 2 * count * size * clusters,
      run: () => kmeansUpdate(appearance, start, { decay }).centroids,
      output: out => out,
      expected: () => step(appearance, start),
    })
    const closeness = (centroids: Tensor): Float64Array =>
      Float64Array.from(similarities(appearance, centroids, 0), each =>
        Math.max(0, each[largest(each)]!),
      )
    const [before, after] = [0, 8].map(steps =>
      closeness(learnCentroids(appearance, clusters, steps)),
    )
    const mean = (values: Float64Array): string =>
      (values.reduce((sum, value) => sum + value, 0) / count).toFixed(2)
    return {
      rows: [row],
      figures: [
        {
          title: 'Similarity to the own centroid',
          caption: `The mean similarity grows from ${mean(before!)} to ${mean(after!)}.`,
          panels: [
            { label: 'at the start', picture: drawHeat(photo.picture, fine, before!) },
            { label: 'after eight steps', picture: drawHeat(photo.picture, fine, after!) },
          ],
        },
      ],
    }
  },
}

/** The same step in float64. */
function step(x: Tensor, old: Tensor): Float64Array {
  const [, , size] = old.shape as [number, number, number]
  const sums = new Float64Array(clusters * size)
  const counts = new Float64Array(clusters)
  similarities(x, old, 0).forEach((each, token) => {
    const cluster = largest(each)
    counts[cluster]!++
    unit(x, 0, token).forEach((value, k) => {
      sums[cluster * size + k]! += value
    })
  })
  return sums.map((sum, at) => {
    const cluster = Math.floor(at / size)
    const norm = Math.hypot(...sums.subarray(cluster * size, (cluster + 1) * size))
    const target = counts[cluster]! > 0 ? sum / Math.max(norm, 1e-12) : old.data[at]!
    return decay * old.data[at]! + (1 - decay) * target
  })
}
