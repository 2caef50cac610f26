import { type Tensor, tensor } from '../../../index.ts'
import { filters } from '../../photo/filters.ts'
import type { Grid } from '../../photo/grid.ts'
import type { Photo } from '../../photo/photo.ts'

/** The cells within the picture, without those beyond its edge. */
export function cellGrid({ cells }: Photo): Grid {
  return {
    rows: cells.rows - 2 * cells.margin,
    columns: cells.columns - 2 * cells.margin,
    patch: cells.patch,
  }
}

/** One filter's response at every cell within the picture. */
export function response(photo: Photo, name: string): Float32Array {
  const filter = indexOf(name)
  return read(photo, photo.responses.data, data => data(2 * filter))
}

/** gelu(r) + gelu(-r) of one filter: how strongly it answers, whichever way. */
export function strength(photo: Photo, name: string): Float32Array {
  const filter = indexOf(name)
  return read(photo, photo.rectified.data, data => data(2 * filter) + data(2 * filter + 1))
}

/** What drowns in three times the root of the mean square is rare: the end of a colour scale. */
export function spread(values: Float32Array): number {
  return 3 * Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
}

/** How strongly the stripes of one width occur at each angle, as a third axis: [1, 1, angles, rows, columns]. */
export function angles({ map }: Photo): { x: Tensor; names: readonly string[]; count: number } {
  const width = map.channels.at(-1)!.replace(/^stripes \d+°/, '')
  const first = map.channels.findIndex(name => name.startsWith('stripes') && name.endsWith(width))
  const names = map.channels.slice(first)
  const count = map.rows * map.columns
  const x = tensor(map.tensor.data.subarray(first * count), [
    1,
    1,
    names.length,
    map.rows,
    map.columns,
  ])
  return { x, names, count }
}

function indexOf(name: string): number {
  const filter = filters.findIndex(each => each.name === name)
  if (filter < 0) throw new Error(`there is no filter named ${name}`)
  return filter
}

function read(
  photo: Photo,
  data: Float32Array,
  value: (column: (index: number) => number) => number,
): Float32Array {
  const { rows, columns } = cellGrid(photo)
  const { margin } = photo.cells
  const width = 2 * filters.length
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const cell = (Math.floor(at / columns) + margin) * photo.cells.columns + (at % columns) + margin
    return value(index => data[cell * width + index]!)
  })
}
