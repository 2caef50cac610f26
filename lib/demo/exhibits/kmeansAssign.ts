import { kmeansAssign, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { largest, learnCentroids, similarities } from './shared/clusters.ts'
import { drawPatches } from './shared/draw.ts'

const clusters = 12

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Every patch joins the most similar of twelve centroids. Each patch is painted in the mean colour of its cluster: regions that belong together become one.',
  show(photo, bench) {
    const { fine } = photo
    const { appearance, count, colours } = fine
    const size = appearance.shape[3]!
    const learned = learnCentroids(appearance, clusters, 8)
    const centroids = tensor(learned.data, [clusters, size])
    const x = tensor(appearance.data, [count, size], {
      strides: [appearance.strides[2]!, appearance.strides[3]!],
      offset: appearance.offset,
    })
    const { row, result } = bench.measure({
      label: `${fine.patch} px patches, ${clusters} clusters`,
      shape: `${count}×${size} → ${clusters}`,
      flops: 2 * count * size * clusters,
      run: () => kmeansAssign(x, centroids, { normalize: true }),
      output: ({ distances }) => distances,
      expected: () =>
        Float64Array.from(similarities(appearance, learned, 0), each => each[largest(each)]!),
    })
    const sums = new Float64Array(clusters * 4)
    const of = result.assignments.data
    for (let token = 0; token < count; token++) {
      sums[of[token]! * 4 + 3]!++
      for (let c = 0; c < 3; c++) sums[of[token]! * 4 + c]! += colours[token * 3 + c]!
    }
    const painted = Float32Array.from(colours, (_, at) => {
      const cluster = of[Math.floor(at / 3)]! * 4
      return sums[cluster + (at % 3)]! / sums[cluster + 3]!
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'Twelve clusters',
          caption: 'Centroids learned from this photograph by eight steps of kmeansUpdate.',
          panels: [
            { label: 'the patches', picture: drawPatches(fine, colours) },
            { label: 'their clusters', picture: drawPatches(fine, painted) },
          ],
        },
      ],
    }
  },
}
