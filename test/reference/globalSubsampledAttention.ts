// Twins-SVT's companion to window attention, which is PVT's spatial reduction: keys and values come
// from a strided convolution of the map.
import { at, attend, channels, indices, joinHeads, set, splitHeads } from './grid.ts'
import { affineOver, float64, layerNormOver, range } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly heads: number
  readonly srRatio?: number
  readonly height: number
  readonly width: number
  readonly normEps?: number
}

export const globalSubsampledAttention: Reference = {
  op: 'globalSubsampledAttention',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const x = tensors.x!
    const { 'sr.weight': srWeight, 'sr.bias': srBias } = weights
    const [B, , C] = x.shape as [number, number, number]
    const { heads, height, width, normEps = 1e-5, ...rest } = params as unknown as Params
    const { srRatio: r = srWeight?.shape[2] ?? 1 } = rest

    let reduced = x
    if (r > 1) {
      const [rows, columns] = [Math.floor(height / r), Math.floor(width / r)]
      const patches = float64([B, rows * columns, C])
      for (const [b, y, u, o] of indices([B, rows, columns, C]) as Iterable<
        [number, number, number, number]
      >) {
        let total = srBias!.data[o]!
        for (const [c, dy, du] of indices([C, r, r]) as Iterable<[number, number, number]>) {
          const token = (y * r + dy) * width + u * r + du
          total += at(srWeight!, o, c, dy, du) * at(x, b, token, c)
        }
        set(patches, total, b, y * columns + u, o)
      }
      reduced = layerNormOver(patches, normEps, weights['norm.weight'], weights['norm.bias'])
    }
    const query = splitHeads(affineOver(x, weights['q.weight']!, weights['q.bias']), heads)
    const kv = affineOver(reduced, weights['kv.weight']!, weights['kv.bias'])
    const key = splitHeads(channels(kv, 0, C), heads)
    const value = splitHeads(channels(kv, C, 2 * C), heads)
    const all = range(key.shape[2]!)
    const { out } = attend({ query, key, value }, 1 / Math.sqrt(C / heads), () => all)
    return { out: affineOver(joinHeads(out), weights['proj.weight']!, weights['proj.bias']) }
  },
}
