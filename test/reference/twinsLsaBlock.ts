// timm's LocallyGroupedAttn: projections around attention in square windows.
import { attend, channels, indices, joinHeads, row, setRow, splitHeads } from './grid.ts'
import { windowOf } from './locallyGroupedAttention.ts'
import { affineOver, float64 } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly heads: number
  readonly windowSize: number
  readonly height: number
  readonly width: number
  readonly padMode?: 'zeros' | 'exclude'
}

export const twinsLsaBlock: Reference = {
  op: 'twinsLsaBlock',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const { heads, windowSize, height, width, padMode = 'zeros' } = params as unknown as Params
    const [B, , C] = tensors.x!.shape as [number, number, number]
    const upTo = (n: number): number =>
      padMode === 'zeros' ? Math.ceil(n / windowSize) * windowSize : n
    const [paddedHeight, paddedWidth] = [upTo(height), upTo(width)]

    // Zero tokens come in before the projection, so a padded key is the bias of the keys.
    const padded = float64([B, paddedHeight, paddedWidth, C])
    for (const [b, y, x] of indices([B, height, width]) as Iterable<[number, number, number]>) {
      setRow(padded, row(tensors.x!, b, y * width + x), b, y, x)
    }
    const tokens = { data: padded.data, shape: [B, paddedHeight * paddedWidth, C] }
    const qkv = affineOver(tokens, weights['qkv.weight']!, weights['qkv.bias'])
    const part = (n: number): ReturnType<typeof splitHeads> =>
      splitHeads(channels(qkv, n * C, (n + 1) * C), heads)
    const map = {
      height: paddedHeight,
      width: paddedWidth,
      windowHeight: windowSize,
      windowWidth: windowSize,
    }
    const { out } = attend(
      { query: part(0), key: part(1), value: part(2) },
      1 / Math.sqrt(C / heads),
      (_b, _h, i) => windowOf(i, map).tokens,
    )
    const projected = affineOver(joinHeads(out), weights['proj.weight']!, weights['proj.bias'])
    const cropped = float64([B, height * width, C])
    for (const [b, y, x] of indices([B, height, width]) as Iterable<[number, number, number]>) {
      setRow(cropped, row(projected, b, y * paddedWidth + x), b, y * width + x)
    }
    return { out: cropped }
  },
}
