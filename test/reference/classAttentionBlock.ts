// timm's LayerScaleBlockClassAttn (CaiT): class attention and an MLP, each scaled and added.
import { classAttend } from './classAttention.ts'
import { indices, row, set, setRow } from './grid.ts'
import { affineOver, float64, geluOf, layerNormOver } from './maths.ts'
import type { Reference } from './reference.ts'

export const classAttentionBlock: Reference = {
  op: 'classAttentionBlock',
  required: ['x', 'xCls'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { x, xCls } = tensors
    const { heads, normEps = 1e-6 } = params as { heads: number; normEps?: number }
    const [B, N, C] = x!.shape as [number, number, number]
    const u = float64([B, N + 1, C])
    for (const [b, n] of indices([B, N + 1]) as Iterable<[number, number]>) {
      setRow(u, n === 0 ? row(xCls!, b, 0) : row(x!, b, n - 1), b, n)
    }
    const normed = layerNormOver(u, normEps, weights['norm1.weight'], weights['norm1.bias'])
    const attended = classAttend(normed, weights, heads, 'attn.')
    const c = float64([B, 1, C])
    for (const [b, i] of indices([B, C]) as Iterable<[number, number]>) {
      const scaled = weights.gamma_1!.data[i]! * row(attended, b, 0)[i]!
      set(c, row(xCls!, b, 0)[i]! + scaled, b, 0, i)
    }
    const hidden = affineOver(
      layerNormOver(c, normEps, weights['norm2.weight'], weights['norm2.bias']),
      weights['mlp.fc1.weight']!,
      weights['mlp.fc1.bias'],
    )
    const active = { data: hidden.data.map(geluOf), shape: hidden.shape }
    const mlp = affineOver(active, weights['mlp.fc2.weight']!, weights['mlp.fc2.bias'])
    const out = float64([B, 1, C])
    for (const [b, i] of indices([B, C]) as Iterable<[number, number]>) {
      set(out, row(c, b, 0)[i]! + weights.gamma_2!.data[i]! * row(mlp, b, 0)[i]!, b, 0, i)
    }
    return { out }
  },
}
