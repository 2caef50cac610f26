// The Attention operator of ONNX, written out from its specification on nested arrays, and how it is
// said with scaledDotProductAttention.
import { describe, expect, test } from 'vitest'
import { scaledDotProductAttention as reference } from '../reference/scaledDotProductAttention.ts'
import { expectClose } from '../support/compare.ts'
import { call, isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs, int32, toDense, type View } from '../support/tensors.ts'

type Matrix = number[][]
type Heads = Matrix[][] // [batch][head][row][column]

interface Onnx {
  readonly Q: Heads
  readonly K: Heads
  readonly V: Heads
  /** Already broadcast; booleans became 0 and -inf. */
  readonly mask?: Heads
  readonly pastKey?: Heads
  readonly pastValue?: Heads
  readonly isCausal?: boolean
  readonly scale?: number
  readonly softcap?: number
  readonly nonpadKeys?: readonly number[]
}

function onnxAttention(given: Onnx): Heads {
  const { Q, mask, pastKey, pastValue, isCausal = false, softcap = 0, nonpadKeys } = given
  const join = (past: Heads | undefined, now: Heads): Heads =>
    now.map((heads, b) => heads.map((rows, h) => [...(past?.[b]?.[h] ?? []), ...rows]))
  const [K, V] = [join(pastKey, given.K), join(pastValue, given.V)]
  const past = pastKey?.[0]?.[0]?.length ?? 0
  const root = Math.sqrt(given.scale ?? 1 / Math.sqrt(Q[0]![0]![0]!.length))
  return Q.map((heads, b) =>
    heads.map((rows, h) => {
      const group = heads.length / K[b]!.length
      const [keys, values] = [K[b]![Math.floor(h / group)]!, V[b]![Math.floor(h / group)]!]
      const offset = nonpadKeys === undefined ? past : nonpadKeys[b]! - rows.length
      return rows.map((q, i) => {
        const scores = keys.map((k, j) => {
          let s = q.reduce((sum, v, d) => sum + v * root * (k[d]! * root), 0)
          if (softcap > 0) s = softcap * Math.tanh(s / softcap)
          s += mask?.[b]?.[h]?.[i]?.[j] ?? 0
          const hidden = (isCausal && j > i + offset) || (nonpadKeys && j >= nonpadKeys[b]!)
          return hidden ? Number.NEGATIVE_INFINITY : s
        })
        const max = Math.max(...scores)
        const terms = scores.map(s => Math.exp(s - max))
        const sum = terms.reduce((a, t) => a + t, 0)
        return values[0]!.map((_, d) =>
          terms.reduce((a, t, j) => a + (t / sum) * values[j]![d]!, 0),
        )
      })
    }),
  )
}

const nested = ({ data, shape }: Dense): Heads => {
  const [B, H, L, D] = shape as [number, number, number, number]
  const at = (b: number, h: number, i: number): number => ((b * H + h) * L + i) * D
  return Array.from({ length: B }, (_, b) =>
    Array.from({ length: H }, (_, h) =>
      Array.from({ length: L }, (_, i) => Array.from(data.subarray(at(b, h, i), at(b, h, i) + D))),
    ),
  )
}

function expectOnnx(inputs: Inputs, given: Onnx): void {
  const want = onnxAttention(given)
  const shape = [want.length, want[0]!.length, want[0]![0]!.length, want[0]![0]![0]!.length]
  const flat = { data: Float64Array.from(want.flat(3)), shape }
  for (const isa of isas) {
    useIsa(isa)
    expectClose(call(reference, inputs).out!, flat, { rtol: 2e-5, atol: 4e-6 }, isa)
  }
}

const concatenated = (past: Dense, now: Dense): Dense => {
  const [B, H, P, D] = past.shape as [number, number, number, number]
  const L = now.shape[2]!
  const out = float32([B, H, P + L, D])
  for (let n = 0; n < B * H; n++) {
    out.data.set(past.data.subarray(n * P * D, (n + 1) * P * D), n * (P + L) * D)
    out.data.set(now.data.subarray(n * L * D, (n + 1) * L * D), (n * (P + L) + P) * D)
  }
  return out
}

describe('ONNX Attention', () => {
  const random = new Random('onnx')
  const query = random.tensor([2, 6, 4, 8])
  const key = random.tensor([2, 3, 6, 8])
  const value = random.tensor([2, 3, 6, 10])
  const tensors = { query, key, value }
  const plain: Onnx = { Q: nested(query), K: nested(key), V: nested(value) }
  const inputs = (params: object = {}, more: object = {}): Inputs => ({
    tensors: { ...tensors, ...more },
    weights: {},
    params: { ...params },
  })

  test('grouped heads, another value size, scale', () => {
    expectOnnx(inputs(), plain)
    expectOnnx(inputs({ scale: 0.01 }), { ...plain, scale: 0.01 })
  })

  test('softcap', () => {
    expectOnnx(inputs({ softcap: 2 }), { ...plain, softcap: 2 })
  })

  test('is_causal counts from the top left', () => {
    expectOnnx(inputs({ causal: true, align: 'topLeft' }), { ...plain, isCausal: true })
  })

  test('past keys shift the diagonal by their number', () => {
    const [pastKey, pastValue] = [random.tensor([2, 3, 5, 8]), random.tensor([2, 3, 5, 10])]
    const whole = { key: concatenated(pastKey, key), value: concatenated(pastValue, value) }
    const offsets = { queryOffsets: int32([5, 5]) }
    expectOnnx(inputs({ causal: true }, { ...whole, ...offsets }), {
      ...plain,
      isCausal: true,
      pastKey: nested(pastKey),
      pastValue: nested(pastValue),
    })
  })

  test('nonpad_kv_seqlen is keyLengths, its diagonal bottomRight', () => {
    const keyLengths = int32([6, 5])
    expectOnnx(inputs({ causal: true, align: 'bottomRight' }, { keyLengths }), {
      ...plain,
      isCausal: true,
      nonpadKeys: [6, 5],
    })
  })

  test('attn_mask, boolean and float, of every rank that broadcasts', () => {
    for (const shape of [
      [4, 6],
      [1, 6],
      [2, 6, 4, 6],
      [1, 6, 4, 6],
      [2, 1, 4, 6],
    ]) {
      const float = random.tensor(shape)
      const boolean = random.mask(shape, 0.8)
      const keep = (n: number): number => (n % 6 === 2 ? 1 : boolean.data[n]!) // no dead rows
      boolean.data.forEach((_, n) => {
        boolean.data[n] = keep(n)
      })
      const full = (from: Dense, value: (v: number) => number): Heads => {
        const strides = Array.from({ length: 4 }, (_, axis) => {
          const own = axis - (4 - shape.length)
          if (own < 0 || shape[own] === 1) return 0
          return shape.slice(own + 1).reduce((a, b) => a * b, 1)
        })
        const view: View = {
          data: Float32Array.from(from.data, value),
          shape: [2, 6, 4, 6],
          strides,
        }
        return nested(toDense(view))
      }
      const hide = (v: number): number => (v === 0 ? Number.NEGATIVE_INFINITY : 0)
      expectOnnx(inputs({}, { bias: float }), { ...plain, mask: full(float, v => v) })
      expectOnnx(inputs({}, { mask: boolean }), { ...plain, mask: full(boolean, hide) })
    }
  })

  test('three dimensions: heads lie inside the last axis', () => {
    // [batch, length, heads * size] seen as [batch, heads, length, size], nothing moved.
    const heads = ({ data }: Dense, L: number, H: number, D: number): View => ({
      data,
      shape: [2, H, L, D],
      strides: [L * H * D, D, H * D, 1],
    })
    const packed = {
      query: random.tensor([2, 4, 6 * 8]),
      key: random.tensor([2, 6, 3 * 8]),
      value: random.tensor([2, 6, 3 * 10]),
    }
    const views = {
      query: heads(packed.query, 4, 6, 8),
      key: heads(packed.key, 6, 3, 8),
      value: heads(packed.value, 6, 3, 10),
    }
    const want = onnxAttention({
      Q: nested(toDense(views.query)),
      K: nested(toDense(views.key)),
      V: nested(toDense(views.value)),
    })
    const { out } = call(
      reference,
      { tensors: views as never, weights: {}, params: {} },
      {
        layout: tensor => tensor as View,
      },
    )
    const flat = { data: Float64Array.from(want.flat(3)), shape: [2, 6, 4, 10] }
    expectClose(out!, flat, { rtol: 2e-5, atol: 4e-6 })
    expect(out!.shape).toEqual([2, 6, 4, 10])
  })
})
