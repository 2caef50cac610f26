// The photograph cut into patches, and places in it.
import type { Tensor } from '../../index.ts'

/** A place in the photograph that the exhibits look from. */
export interface Spot {
  /** Reads after "from": `the left eye`. */
  readonly name: string
  /** Pixels from the left and the top of the working picture. */
  readonly x: number
  readonly y: number
}

/** Square patches that cover the photograph, row by row. */
export interface Grid {
  readonly rows: number
  readonly columns: number
  /** Pixels a side. */
  readonly patch: number
}

/** The photograph as tokens, one for each patch of one size. */
export interface Scale extends Grid {
  /** rows x columns. */
  readonly count: number
  /** The descriptors before normalisation, [count, 3, 32]: three heads in a row. */
  readonly raw: Tensor
  /** The tokens [1, count, 96]: every head of every token has mean 0 and variance 1. */
  readonly tokens: Tensor
  /** The same memory as [1, 3, count, 32]: colour, texture and place, one head each. */
  readonly heads: Tensor
  /** The same memory as [1, 1, count, 64]: colour and texture as one head, blind to place. */
  readonly appearance: Tensor
  /** The mean colour of each patch, [count, 3], 0 to 255. */
  readonly colours: Float32Array
}

/** The token whose patch holds a place. */
export function tokenAt(grid: Grid, { x, y }: { x: number; y: number }): number {
  const row = Math.min(grid.rows - 1, Math.floor(y / grid.patch))
  const column = Math.min(grid.columns - 1, Math.floor(x / grid.patch))
  return row * grid.columns + column
}
