// What the references share: float64 tensors and the sums that every paper takes as known.
import { type Dense, sizeOf } from '../support/tensors.ts'

export type Dense64 = Dense<Float64Array>

export const float64 = (shape: readonly number[]): Dense64 => ({
  data: new Float64Array(sizeOf(shape)),
  shape,
})

/** Numbers 0 .. n - 1. */
export function range(n: number): number[] {
  const all: number[] = []
  for (let i = 0; i < n; i++) all.push(i)
  return all
}

export const sum = (terms: readonly number[]): number => terms.reduce((a, b) => a + b, 0)

export const mean = (terms: readonly number[]): number => sum(terms) / terms.length

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!
  return total
}

/** Euclidean length. */
export const norm = (x: ArrayLike<number>): number => Math.sqrt(dot(x, x))

/** x / max(||x||, eps). */
export function toUnit(x: ArrayLike<number>, eps = 1e-12): number[] {
  const length = Math.max(norm(x), eps)
  return Array.from(x, v => v / length)
}

export const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v))

/** min(max(v + 3, 0), 6) / 6. */
export const hardSigmoid = (v: number): number => Math.min(Math.max(v + 3, 0), 6) / 6

export const relu = (v: number): number => Math.max(v, 0)

/** The rows along the last axis, in order. */
export function rowsOf({ data, shape }: Dense): number[][] {
  const n = shape.at(-1)!
  const count = sizeOf(shape.slice(0, -1))
  return range(count).map(row => Array.from(data.subarray(row * n, (row + 1) * n)))
}

/** The tensor whose rows along the last axis these are. */
export function fromRows(rows: readonly (readonly number[])[], shape: readonly number[]): Dense64 {
  const out = float64(shape)
  rows.forEach((row, r) => {
    out.data.set(row, r * shape.at(-1)!)
  })
  return out
}

/** y = W x + b of one vector. */
export function affine(x: ArrayLike<number>, weight: Dense, bias?: Dense): number[] {
  const outs = weight.shape[0]!
  const n = x.length
  return range(outs).map(o => {
    let total = bias === undefined ? 0 : bias.data[o]!
    for (let i = 0; i < n; i++) total += weight.data[o * n + i]! * x[i]!
    return total
  })
}

/** The same along the last axis of a whole tensor. */
export const affineOver = (x: Dense, weight: Dense, bias?: Dense): Dense64 =>
  fromRows(
    rowsOf(x).map(row => affine(row, weight, bias)),
    [...x.shape.slice(0, -1), weight.shape[0]!],
  )

/** (x - mean) / sqrt(variance + eps), the variance in a second pass and over n, not n - 1. */
export function normalized(x: readonly number[], eps: number): number[] {
  const centre = mean(x)
  const variance = mean(x.map(v => (v - centre) ** 2))
  return x.map(v => (v - centre) / Math.sqrt(variance + eps))
}

/** LayerNorm along the last axis. */
export const layerNormOver = (x: Dense, eps: number, weight?: Dense, bias?: Dense): Dense64 =>
  fromRows(
    rowsOf(x).map(row =>
      normalized(row, eps).map((v, i) => (weight ? v * weight.data[i]! + bias!.data[i]! : v)),
    ),
    x.shape,
  )

/**
 * Softmax of one row; a row of nothing but -inf is dead and gives zeros. `sink` is one more score
 * that takes its share and stands for no entry.
 */
export function softmaxRow(
  scores: readonly number[],
  sink = Number.NEGATIVE_INFINITY,
): { weights: number[]; lse: number } {
  const max = scores.reduce((a, b) => Math.max(a, b), sink)
  if (max === Number.NEGATIVE_INFINITY) return { weights: scores.map(() => 0), lse: max }
  const terms = scores.map(s => Math.exp(s - max))
  const total = sum(terms) + Math.exp(sink - max)
  return { weights: terms.map(t => t / total), lse: max + Math.log(total) }
}

/**
 * The error function to about 1e-16: its series near 0, the continued fraction of erfc beyond.
 * Abramowitz & Stegun 7.1.6 and 7.1.14.
 */
function erf(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a < 2.5) {
    let term = a
    let total = a
    for (let n = 1; Math.abs(term) > 1e-18 * total; n++) {
      term *= (2 * a * a) / (2 * n + 1)
      total += term
    }
    return Math.sign(x) * ((2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * total)
  }
  return Math.sign(x) * (1 - erfc(a))
}

/** 1 - erf(x) for x >= 2.5, without the cancellation. */
function erfc(x: number): number {
  let fraction = x
  for (let n = 120; n >= 1; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction
}

/** x Phi(x); the left tail by erfc, so that it keeps its relative accuracy. */
export function geluOf(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return -0
  const scaled = x / Math.SQRT2
  return x * (scaled < -2.5 ? erfc(-scaled) / 2 : (1 + erf(scaled)) / 2)
}
