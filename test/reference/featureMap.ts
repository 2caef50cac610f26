// What the feature-map references share: maps [B, C, ...spatial] and the layers every paper builds on.
import { type Dense, type Inputs, sizeOf } from '../support/tensors.ts'
import { at, indices, row, set, setRow } from './grid.ts'
import { type Dense64, float64, mean, range, relu, rowsOf } from './maths.ts'

type Weights = Inputs['weights']

export const spatialOf = ({ shape }: Dense): readonly number[] => shape.slice(2)

/** Every element through f, which is told its index. */
export function mapped(x: Dense, f: (value: number, index: readonly number[]) => number): Dense64 {
  const out = float64(x.shape)
  let n = 0
  for (const index of indices(x.shape)) {
    out.data[n] = f(x.data[n]!, index)
    n++
  }
  return out
}

/** Elementwise over tensors of one shape. */
export function zipped(f: (...values: number[]) => number, ...tensors: readonly Dense[]): Dense64 {
  const out = float64(tensors[0]!.shape)
  for (let n = 0; n < out.data.length; n++) out.data[n] = f(...tensors.map(t => t.data[n]!))
  return out
}

export const added = (...tensors: readonly Dense[]): Dense64 =>
  zipped((...values) => values.reduce((a, b) => a + b, 0), ...tensors)

export const rectified = (x: Dense): Dense64 => mapped(x, relu)

/** Rows of a channel's positions: [B * C][positions]. */
export const planes = (x: Dense): number[][] =>
  rowsOf({ data: x.data, shape: [x.shape[0]! * x.shape[1]!, sizeOf(spatialOf(x))] })

/** [B, C]: the mean of each channel over all positions. */
export function pooled(x: Dense): Dense64 {
  const out = float64(x.shape.slice(0, 2))
  out.data.set(planes(x).map(mean))
  return out
}

/** A value for each axis; a single one stands for all. */
export type PerAxis = number | readonly number[]

const spread = (given: PerAxis, axes: number): readonly number[] =>
  typeof given === 'number' ? range(axes).map(() => given) : given

export interface Convolution {
  readonly stride?: PerAxis
  readonly padding?: PerAxis
  readonly dilation?: PerAxis
  readonly groups?: number
}

/** Cross-correlation with zero padding, in any number of spatial axes. */
export function convolved(
  x: Dense,
  weight: Dense,
  bias?: Dense,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: Convolution = {},
): Dense64 {
  const [B, Cin, ...size] = x.shape as [number, number, ...number[]]
  const [Cout, CinOfGroup, ...kernel] = weight.shape as [number, number, ...number[]]
  const [s, p, d] = [stride, padding, dilation].map(given => spread(given, size.length)) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ]
  const outSize = size.map(
    (n, axis) => Math.floor((n + 2 * p[axis]! - d[axis]! * (kernel[axis]! - 1) - 1) / s[axis]!) + 1,
  )
  // Which input position each tap of the kernel reads, or -1 in the padding.
  const taps = [...indices(kernel)]
  const sources = [...indices(outSize)].map(position =>
    taps.map(tap => {
      let flat = 0
      for (let axis = 0; axis < size.length; axis++) {
        const from = position[axis]! * s[axis]! - p[axis]! + tap[axis]! * d[axis]!
        if (from < 0 || from >= size[axis]!) return -1
        flat = flat * size[axis]! + from
      }
      return flat
    }),
  )
  const out = float64([B, Cout, ...outSize])
  const area = sizeOf(size)
  let n = 0
  for (const [b, o] of indices([B, Cout]) as Iterable<[number, number]>) {
    const first = Math.floor(o / (Cout / groups)) * CinOfGroup
    for (const source of sources) {
      let total = bias === undefined ? 0 : bias.data[o]!
      for (let c = 0; c < CinOfGroup; c++) {
        const plane = (b * Cin + first + c) * area
        const filter = (o * CinOfGroup + c) * taps.length
        for (let t = 0; t < taps.length; t++) {
          if (source[t]! >= 0) total += weight.data[filter + t]! * x.data[plane + source[t]!]!
        }
      }
      out.data[n++] = total
    }
  }
  return out
}

/** The convolution named `name`, its bias where there is one. */
export const convolvedBy = (
  x: Dense,
  weights: Weights,
  name: string,
  options?: Convolution,
): Dense64 => convolved(x, weights[`${name}.weight`]!, weights[`${name}.bias`], options)

/** (v - mean) / sqrt(var + eps) * weight + bias, by channel, with running statistics. */
export function batchNormed(x: Dense, weights: Weights, prefix: string, eps: number): Dense64 {
  const of = (name: string): Dense | undefined => weights[`${prefix}${name}`]
  const [centre, variance] = [of('running_mean')!, of('running_var')!]
  const [weight, bias] = [of('weight'), of('bias')]
  return mapped(x, (v, [, c]) => {
    const normal = (v - centre.data[c!]!) / Math.sqrt(variance.data[c!]! + eps)
    return weight === undefined ? normal : normal * weight.data[c!]! + bias!.data[c!]!
  })
}

/** A vector per batch entry, [B, C], through a 1x1 convolution or linear layer of that name. */
export function affineNamed(x: Dense, weights: Weights, name: string): Dense64 {
  const weight = weights[`${name}.weight`]!
  const flat = { data: weight.data, shape: weight.shape.slice(0, 2) }
  const bias = weights[`${name}.bias`]
  const [B, C] = x.shape as [number, number]
  const out = float64([B, weight.shape[0]!])
  for (const [b, o] of indices(out.shape) as Iterable<[number, number]>) {
    let total = bias === undefined ? 0 : bias.data[o]!
    for (let c = 0; c < C; c++) total += at(flat, o, c) * at(x, b, c)
    set(out, total, b, o)
  }
  return out
}

/** Largest of each window; padding counts as -inf. */
export function maxPooled(
  x: Dense,
  kernel: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
): Dense64 {
  const size = spatialOf(x)
  const outSize = size.map(
    (n, axis) => Math.floor((n + 2 * padding[axis]! - kernel[axis]!) / stride[axis]!) + 1,
  )
  const out = float64([...x.shape.slice(0, 2), ...outSize])
  for (const index of indices(out.shape)) {
    const [b, c, ...position] = index as [number, number, ...number[]]
    let best = Number.NEGATIVE_INFINITY
    for (const tap of indices(kernel)) {
      const from = position.map((o, axis) => o * stride[axis]! - padding[axis]! + tap[axis]!)
      if (from.every((i, axis) => i >= 0 && i < size[axis]!))
        best = Math.max(best, at(x, b, c, ...from))
    }
    set(out, best, ...index)
  }
  return out
}

/** Linear interpolation along every spatial axis, without anti-aliasing. */
export function resized(x: Dense, size: PerAxis, alignCorners: boolean): Dense64 {
  let current: Dense = x
  spread(size, spatialOf(x).length).forEach((m, spatialAxis) => {
    const axis = spatialAxis + 2
    const n = current.shape[axis]!
    const inner = sizeOf(current.shape.slice(axis + 1))
    const outer = sizeOf(current.shape.slice(0, axis))
    const from: Dense = { data: current.data, shape: [outer, n, inner] }
    const to = float64([outer, m, inner])
    for (let o = 0; o < m; o++) {
      const corners = m === 1 ? 0 : (o * (n - 1)) / (m - 1)
      const s = alignCorners ? corners : Math.max(0, ((o + 0.5) * n) / m - 0.5)
      const low = Math.floor(s)
      const high = Math.min(low + 1, n - 1)
      const f = s - low
      for (let u = 0; u < outer; u++) {
        const [a, b] = [row(from, u, low), row(from, u, high)]
        setRow(
          to,
          range(inner).map(i => (f === 0 ? a[i]! : (1 - f) * a[i]! + f * b[i]!)),
          u,
          o,
        )
      }
    }
    current = {
      data: to.data,
      shape: current.shape.map((given, a) => (a === axis ? m : given)),
    }
  })
  return current as Dense64
}
