// Layers written by hand, for mechanisms whose weights a network would have learnt: what they do to the
// photograph can be said in words.
import { type Tensor, tensor } from '../../../index.ts'

/** A matrix by its rows. */
export type Rows = readonly ArrayLike<number>[]

export const identity = (size: number): Rows =>
  Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (_, j) => +(i === j)))

/** The product of rows with a vector. */
export const times = (rows: Rows, v: ArrayLike<number>): Float64Array =>
  Float64Array.from(rows, row => {
    let sum = 0
    for (let k = 0; k < v.length; k++) sum += row[k]! * v[k]!
    return sum
  })

/** A linear layer, a row an output, with the same bias for all. */
export const linearLayer = (name: string, rows: Rows, bias = 0): Record<string, Tensor> => ({
  [`${name}.weight`]: weightOf(rows, []),
  ...biasOf(name, rows.length, bias),
})

/** A 1x1 convolution, a row an output. */
export const convolution = (name: string, rows: Rows): Record<string, Tensor> => ({
  [`${name}.weight`]: weightOf(rows, [1, 1]),
})

function weightOf(rows: Rows, kernel: readonly number[]): Tensor {
  const ins = rows[0]!.length
  const data = new Float32Array(rows.length * ins)
  for (const [at, row] of rows.entries()) data.set(row, at * ins)
  return tensor(data, [rows.length, ins, ...kernel])
}

export const biasOf = (name: string, length: number, value = 0): Record<string, Tensor> => ({
  [`${name}.bias`]: constant(length, value),
})

/** [length] of one number. */
export const constant = (length: number, value: number): Tensor =>
  tensor(new Float32Array(length).fill(value), [length])

/** Channels [from, to) of `width` as they are, times a factor; the others become 0. [width, width]. */
export function selection(width: number, from: number, to: number, factor = 1): Tensor {
  const matrix = new Float32Array(width * width)
  for (let c = from; c < to; c++) matrix[c * width + c] = factor
  return tensor(matrix, [width, width])
}

/** A norm that subtracts `centre` and divides by `deviation`, the same for all channels. */
export function norm(
  name: string,
  channels: number,
  { centre = 0, deviation = 1, shift = 0 } = {},
): Record<string, Tensor> {
  return {
    [`${name}.weight`]: constant(channels, 1),
    ...biasOf(name, channels, shift),
    [`${name}.running_mean`]: constant(channels, centre),
    // The eps of every norm is added to it.
    [`${name}.running_var`]: constant(channels, deviation ** 2 - 1e-5),
  }
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The mean of each position over the channels of a map [channels, positions]. */
export function meanOverChannels(data: ArrayLike<number>, positions: number): Float64Array {
  const means = new Float64Array(positions)
  const channels = data.length / positions
  for (let at = 0; at < data.length; at++) means[at % positions]! += data[at]! / channels
  return means
}

/** Values brought to 0 … 1, for drawing: what is left of a gate's range once it is used in full. */
export function stretched(values: ArrayLike<number>): Float32Array {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let at = 0; at < values.length; at++) {
    least = Math.min(least, values[at]!)
    most = Math.max(most, values[at]!)
  }
  return Float32Array.from(values, value => (most > least ? (value - least) / (most - least) : 0.5))
}

/** A kernel of `side` positions along each of so many axes: its middle less the mean of all others. */
export function contrast(side: number, axes: number): Float32Array {
  const taps = side ** axes
  const kernel = new Float32Array(taps).fill(-1 / (taps - 1))
  kernel[(taps - 1) / 2] = 1
  return kernel
}
