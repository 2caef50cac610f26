/**
 * The same mathematics in plain float64, loop by loop as the papers write it: what every figure of the demo
 * is held against. Nothing here shares a line with the engine.
 */

/** y = x W^T + b for `rows` rows of `inputs` numbers; W is [outputs, inputs]. */
export function linear(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  rows: number,
  inputs: number,
): Float64Array {
  const outputs = weight.length / inputs
  const y = new Float64Array(rows * outputs)
  for (let row = 0; row < rows; row++) {
    for (let output = 0; output < outputs; output++) {
      let sum = bias === undefined ? 0 : bias[output]!
      for (let k = 0; k < inputs; k++) sum += x[row * inputs + k]! * weight[output * inputs + k]!
      y[row * outputs + output] = sum
    }
  }
  return y
}

/** x (1 + erf(x / sqrt 2)) / 2, through erfc where 1 + erf would lose every digit. */
export function gelu(x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, value => 0.5 * value * erfc(-value / Math.SQRT2))
}

/** (x - mean) / sqrt(variance + eps) of each row of `width` numbers. */
export function layerNorm(x: ArrayLike<number>, width: number, eps = 1e-5): Float64Array {
  const y = new Float64Array(x.length)
  for (let from = 0; from < x.length; from += width) {
    let mean = 0
    for (let k = 0; k < width; k++) mean += x[from + k]! / width
    let variance = 0
    for (let k = 0; k < width; k++) variance += (x[from + k]! - mean) ** 2 / width
    for (let k = 0; k < width; k++) y[from + k] = (x[from + k]! - mean) / Math.sqrt(variance + eps)
  }
  return y
}

/** exp(x - max) over its sum, of each row of `width` numbers. */
export function softmax(x: ArrayLike<number>, width: number): Float64Array {
  const y = new Float64Array(x.length)
  for (let from = 0; from < x.length; from += width) {
    let most = Number.NEGATIVE_INFINITY
    for (let k = 0; k < width; k++) most = Math.max(most, x[from + k]!)
    let sum = 0
    for (let k = 0; k < width; k++) sum += y[from + k] = Math.exp(x[from + k]! - most)
    for (let k = 0; k < width; k++) y[from + k]! /= sum
  }
  return y
}

/** The mean of each run of `positions` numbers. */
export function means(x: ArrayLike<number>, positions: number): Float64Array {
  const y = new Float64Array(x.length / positions)
  for (let at = 0; at < x.length; at++) y[Math.floor(at / positions)]! += x[at]! / positions
  return y
}

/** Each run of d x h x w numbers under one kernel [d, h, w] of odd sides, zeros beyond every border. */
export function filtered(
  x: ArrayLike<number>,
  [depth, rows, columns]: readonly number[],
  kernel: ArrayLike<number>,
  sides: readonly [number, number, number],
): Float64Array {
  const within = (value: number, size: number): boolean => value >= 0 && value < size
  const [mz, my, mx] = sides.map(side => (side - 1) / 2) as [number, number, number]
  return Float64Array.from(x, (_, at) => {
    const column = at % columns!
    const row = Math.floor(at / columns!) % rows!
    const plane = Math.floor(at / (columns! * rows!)) % depth!
    let sum = 0
    for (let z = -mz, tap = 0; z <= mz; z++)
      for (let y = -my; y <= my; y++)
        for (let k = -mx; k <= mx; k++, tap++)
          if (within(plane + z, depth!) && within(row + y, rows!) && within(column + k, columns!))
            sum += kernel[tap]! * x[at + (z * rows! + y) * columns! + k]!
    return sum
  })
}

/** Linear interpolation along the last axes, from one size to another, one axis after the other. */
export function resized(
  x: ArrayLike<number>,
  from: readonly number[],
  to: readonly number[],
  alignCorners: boolean,
): Float64Array {
  let y = Float64Array.from(x)
  let inner = 1
  for (let axis = from.length - 1; axis >= 0; axis--) {
    const [n, m] = [from[axis]!, to[axis]!]
    const step = alignCorners ? (n - 1) / Math.max(m - 1, 1) : n / m
    const source = y
    const stride = inner
    y = Float64Array.from({ length: (source.length / n) * m }, (_, at) => {
      const o = Math.floor(at / stride) % m
      const place = Math.max(0, alignCorners ? o * step : (o + 0.5) * step - 0.5)
      const low = Math.min(n - 1, Math.floor(place))
      const high = Math.min(n - 1, low + 1)
      const base = Math.floor(at / (stride * m)) * n * stride + (at % stride)
      const t = place - low
      return source[base + low * stride]! * (1 - t) + source[base + high * stride]! * t
    })
    inner *= m
  }
  return y
}

/** A tensor of rank 4, [B, H, L, D], however it lies in memory. */
export interface Heads {
  readonly data: ArrayLike<number>
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
}

/**
 * Scaled dot-product attention of one batch over the keys that `sees` lets a query see (all where it
 * is left out), [H, Lq, Dv]. A query that sees nothing gives zeros.
 */
export function attention(
  query: Heads,
  key: Heads,
  value: Heads,
  scale: number,
  sees?: (query: number, key: number, head: number) => boolean,
): Float64Array {
  const [, heads, queries, size] = query.shape as [number, number, number, number]
  const [, , keys, valueSize] = value.shape as [number, number, number, number]
  const out = new Float64Array(heads * queries * valueSize)
  const scores = new Float64Array(keys)
  for (let head = 0; head < heads; head++) {
    // Rows side by side once, so that the inner loops read plain arrays.
    const [q, k, v] = [rowsOf(query, head), rowsOf(key, head), rowsOf(value, head)]
    for (let i = 0; i < queries; i++) {
      let most = Number.NEGATIVE_INFINITY
      for (let j = 0; j < keys; j++) {
        let score = Number.NEGATIVE_INFINITY
        if (sees === undefined || sees(i, j, head)) {
          score = 0
          for (let d = 0; d < size; d++) score += q[i * size + d]! * k[j * size + d]!
          score *= scale
        }
        scores[j] = score
        most = Math.max(most, score)
      }
      if (most === Number.NEGATIVE_INFINITY) continue
      const row = out.subarray(
        (head * queries + i) * valueSize,
        (head * queries + i + 1) * valueSize,
      )
      let sum = 0
      for (let j = 0; j < keys; j++) {
        const weight = Math.exp(scores[j]! - most)
        if (weight === 0) continue
        sum += weight
        for (let d = 0; d < valueSize; d++) row[d]! += weight * v[j * valueSize + d]!
      }
      for (let d = 0; d < valueSize; d++) row[d]! /= sum
    }
  }
  return out
}

function rowsOf({ data, shape, strides, offset }: Heads, head: number): Float64Array {
  const [, , length, size] = shape as [number, number, number, number]
  const rows = new Float64Array(length * size)
  for (let i = 0; i < length; i++) {
    for (let d = 0; d < size; d++) {
      rows[i * size + d] = data[offset + head * strides[1]! + i * strides[2]! + d * strides[3]!]!
    }
  }
  return rows
}

/** The complementary error function: a power series near 0, a continued fraction beyond 2. */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x)
  if (x < 2) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 100; n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction)
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction))
}
