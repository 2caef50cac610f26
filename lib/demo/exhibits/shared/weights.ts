import { type Tensor, tensor } from '../../../index.ts'
import type { Explorable } from '../../exhibit.ts'
import type { Scale } from '../../photo/grid.ts'

/**
 * All attention weights, [L, L], averaged over the heads: the engine never writes them down, but attending
 * over values that are the rows of the identity gives them as its output.
 */
export function attentionMatrix(
  length: number,
  heads: number,
  attend: (value: Tensor) => Tensor,
): Float32Array {
  return meanOfHeads(attend(identityValues(length, heads)))
}

/** One query's attention by each head, [H][Lk], from a call with that query alone. */
export function attentionOf(
  query: Tensor,
  keys: number,
  attend: (query: Tensor, value: Tensor) => Tensor,
): Float32Array[] {
  const heads = query.shape[1]!
  const { data, strides, offset } = attend(query, identityValues(keys, heads))
  return Array.from({ length: heads }, (_, head) =>
    Float32Array.from(
      { length: keys },
      (_, key) => data[offset + head * strides[1]! + key * strides[3]!]!,
    ),
  )
}

/** The identity as values for every head, one matrix in memory: [1, H, L, L]. */
export function identityValues(length: number, heads: number): Tensor {
  const rows = new Float32Array(length * length)
  for (let i = 0; i < length; i++) rows[i * length + i] = 1
  return tensor(rows, [1, heads, length, length], { strides: [0, 0, length, 1] })
}

/** [1, H, L, L] to [L, L]. */
function meanOfHeads({ data, shape, strides, offset }: Tensor): Float32Array {
  const [, heads, length, keys] = shape as [number, number, number, number]
  const mean = new Float32Array(length * keys)
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < length; i++) {
      const from = offset + head * strides[1]! + i * strides[2]!
      for (let j = 0; j < keys; j++) mean[i * keys + j]! += data[from + j * strides[3]!]! / heads
    }
  }
  return mean
}

/** One matrix of the explorer for each head of an output on the identity, [1, H, L, L]. */
export function explorePerHead(
  { data, shape, strides, offset }: Tensor,
  grid: Scale,
  names: readonly string[],
): Explorable[] {
  return names.map((label, head) => {
    const one = {
      data,
      shape: [1, 1, ...shape.slice(2)],
      strides,
      offset: offset + head * strides[1]!,
      dtype: 'float32',
    }
    return { label, grid, weights: meanOfHeads(one) }
  })
}
