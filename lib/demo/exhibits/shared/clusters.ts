// Clusters of similar patches, for the mechanisms that route by them: learned by the engine, and chosen
// once more in float64 to hold the engine against.
import { kmeansUpdate, type Tensor, tensor } from '../../../index.ts'

/** Centroids [H, K, D] after some steps from tokens spread evenly over the photograph; x is [1, H, L, D]. */
export function learnCentroids(x: Tensor, count: number, steps: number): Tensor {
  const [, heads, length, size] = x.shape as [number, number, number, number]
  const start = new Float32Array(heads * count * size)
  for (let head = 0; head < heads; head++) {
    for (let c = 0; c < count; c++) {
      const token = Math.floor(((c + 0.5) * length) / count)
      start.set(unit(x, head, token), (head * count + c) * size)
    }
  }
  let centroids = tensor(start, [heads, count, size])
  for (let step = 0; step < steps; step++) {
    centroids = kmeansUpdate(x, centroids, { decay: 0.2 }).centroids
  }
  return centroids
}

/** A token divided by its norm, in float64. */
export function unit(
  { data, strides, offset, shape }: Tensor,
  head: number,
  token: number,
): Float64Array {
  const from = offset + head * strides[1]! + token * strides[2]!
  const row = Float64Array.from({ length: shape[3]! }, (_, k) => data[from + k * strides[3]!]!)
  const norm = Math.max(Math.hypot(...row), 1e-12)
  return row.map(value => value / norm)
}

/** Products of the tokens of a head, divided by their norms, with its centroids: [L][K]. */
export function similarities(x: Tensor, centroids: Tensor, head: number): Float64Array[] {
  const [, count, size] = centroids.shape as [number, number, number]
  return Array.from({ length: x.shape[2]! }, (_, token) => {
    const row = unit(x, head, token)
    return Float64Array.from({ length: count }, (_, c) =>
      row.reduce((sum, v, k) => sum + v * centroids.data[(head * count + c) * size + k]!, 0),
    )
  })
}

/** Which of them is the largest; the first of equals. */
export function largest(values: Float64Array): number {
  return values.reduce((best, value, at) => (value > values[best]! ? at : best), 0)
}
