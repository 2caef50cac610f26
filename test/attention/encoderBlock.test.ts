// A whole transformer encoder layer built from the public operations, against float64: the operations
// must fit together, through views of packed projections, with nothing copied in between.
import { describe, expect, test } from 'vitest'
import {
  gelu,
  layerNorm,
  linear,
  permute,
  prepareWeights,
  reshape,
  scaledDotProductAttention,
  slice,
  tensor,
} from '../../lib/index.ts'
import * as promises from '../../lib/promises.ts'
import { added } from '../reference/featureMap.ts'
import { attend, channels, joinHeads, lengthsOf, splitHeads } from '../reference/grid.ts'
import { affineOver, geluOf, layerNormOver, range } from '../reference/maths.ts'
import { expectClose, expectSameBits } from '../support/compare.ts'
import { isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import type { Dense } from '../support/tensors.ts'

const [B, L, C, heads, hidden] = [3, 50, 96, 6, 384]
const D = C / heads

const random = new Random('encoder')
const x = random.tensor([B, L, C])
const keyLengths = { data: Int32Array.of(50, 31, 7), shape: [B] }
const layer = (outs: number, ins: number): { weight: Dense; bias: Dense } => ({
  weight: random.tensor([outs, ins], 1 / Math.sqrt(ins)),
  bias: random.tensor([outs], 0.1),
})
const norm = (): { weight: Dense; bias: Dense } => ({
  weight: random.tensor([C], 0.1, 1),
  bias: random.tensor([C], 0.1),
})
const weights = {
  norm1: norm(),
  qkv: layer(3 * C, C),
  proj: layer(C, C),
  norm2: norm(),
  fc1: layer(hidden, C),
  fc2: layer(C, hidden),
}

/** x + proj(attention(norm1 x)), then that + fc2(gelu(fc1(norm2 ...))), in float64. */
function expected(): Dense {
  const normed = (v: Dense, { weight, bias }: typeof weights.norm1): Dense =>
    layerNormOver(v, 1e-5, weight, bias)
  const through = (v: Dense, { weight, bias }: typeof weights.qkv): Dense =>
    affineOver(v, weight, bias)
  const qkv = through(normed(x, weights.norm1), weights.qkv)
  const part = (n: number): Dense => splitHeads(channels(qkv, n * C, (n + 1) * C), heads)
  const lengths = lengthsOf(B, L, keyLengths)
  const { out } = attend({ query: part(0), key: part(1), value: part(2) }, 1 / Math.sqrt(D), b =>
    range(lengths[b]!),
  )
  const h = added(x, through(joinHeads(out), weights.proj))
  const inner = through(normed(h, weights.norm2), weights.fc1)
  const active = { data: Float64Array.from(inner.data, geluOf), shape: inner.shape }
  return added(h, through(active, weights.fc2))
}

const sum = (a: Float32Array, b: Float32Array): Float32Array => a.map((v, n) => v + b[n]!)

function encode(given: typeof weights | Record<string, unknown>): Float32Array {
  const w = given as typeof weights
  const input = tensor(x.data as Float32Array, [B, L, C])
  const { out: normed } = layerNorm(input, w.norm1)
  const { out: qkv } = linear(normed, w.qkv)
  // [B, L, 3, heads, D] -> three views [B, heads, L, D]
  const packed = permute(reshape(qkv, [B, L, 3, heads, D]), [2, 0, 3, 1, 4])
  const part = (n: number): typeof packed =>
    reshapeFirst(slice(packed, 0, n, n + 1)) as typeof packed
  // The heads' outputs go straight to where [B, L, C] wants them.
  const attended = tensor(new Float32Array(B * L * C), [B, L, C])
  const into = { out: permute(reshape(attended, [B, L, heads, D]), [0, 2, 1, 3]) }
  scaledDotProductAttention(part(0), part(1), part(2), { keyLengths, into })
  const { out: projected } = linear(attended, w.proj)
  const h = sum(input.data, projected.data)
  const { out: normed2 } = layerNorm(tensor(h, [B, L, C]), w.norm2)
  const { out: inner } = linear(normed2, w.fc1)
  const { out: active } = gelu(inner)
  const { out: mlp } = linear(active, w.fc2)
  return sum(h, mlp.data)
}

/** A view without its first axis, which is 1. */
const reshapeFirst = <T extends { shape: readonly number[]; strides: readonly number[] }>(
  view: T,
): T => ({
  ...view,
  shape: view.shape.slice(1),
  strides: view.strides.slice(1),
})

const want = expected()

describe.each(isas)('transformer encoder layer, %s', isa => {
  test('agrees with float64', () => {
    useIsa(isa)
    const got = { data: encode(weights), shape: [B, L, C] }
    expectClose(got, want, { rtol: 2e-5, atol: 2e-5 })
  })

  test('prepared weights give the same bits', () => {
    useIsa(isa)
    const prepared = {
      norm1: prepareWeights('layerNorm', weights.norm1),
      qkv: prepareWeights('linear', weights.qkv),
      proj: prepareWeights('linear', weights.proj),
      norm2: prepareWeights('layerNorm', weights.norm2),
      fc1: prepareWeights('linear', weights.fc1),
      fc2: prepareWeights('linear', weights.fc2),
    }
    const shape = [B, L, C]
    expectSameBits({ data: encode(prepared), shape }, { data: encode(weights), shape })
  })

  test('promises chain to the same bits', async () => {
    useIsa(isa)
    const input = tensor(x.data as Float32Array, [B, L, C])
    const { out: normed } = await promises.layerNorm(input, weights.norm1)
    const { out: qkv } = await promises.linear(normed, weights.qkv)
    expectSameBits(qkv, linear(layerNorm(input, weights.norm1).out, weights.qkv).out)
    expect(qkv.shape).toEqual([B, L, 3 * C])
  })
})
