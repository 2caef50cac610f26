import type { Scale, Spot } from './grid.ts'

/** Places in the photograph that comes with the package, in pixels of its working size, 448 x 288. */
export const chelseaSpots: readonly Spot[] = [
  { name: 'the left eye', x: 152, y: 104 },
  { name: 'the nose', x: 264, y: 232 },
  { name: 'the forehead', x: 228, y: 40 },
  { name: 'the background', x: 408, y: 88 },
  { name: 'the right eye', x: 312, y: 136 },
  { name: 'the ear', x: 360, y: 24 },
]

/** Spots that the maps are drawn from; the others are only asked how much attention they get. */
export const drawnSpots = 4

/**
 * Places worth looking from in any picture: first the patch that is least like the rest, then, one after
 * another, the patch that is least like those chosen. Patches on the rim are passed over where there are others.
 */
export function findSpots(scale: Scale): Spot[] {
  const { rows, columns, patch, count } = scale
  const inner = Array.from({ length: count }, (_, token) => token).filter(token => {
    const row = Math.floor(token / columns)
    const column = token % columns
    return row > 0 && row < rows - 1 && column > 0 && column < columns - 1
  })
  const mean = meanVector(scale)
  const likeness = inner.map(token => product(vector(scale, token), mean))
  const chosen: number[] = []
  while (chosen.length < Math.min(drawnSpots, inner.length)) {
    const next = inner.reduce((best, _, k) => (likeness[k]! < likeness[best]! ? k : best), 0)
    chosen.push(inner[next]!)
    const taken = vector(scale, inner[next]!)
    inner.forEach((token, k) => {
      const same = product(vector(scale, token), taken)
      likeness[k] = chosen.length === 1 ? same : Math.max(likeness[k]!, same)
    })
    likeness[next] = Number.POSITIVE_INFINITY
  }
  const names = chosen.map(token =>
    region(Math.floor(token / columns) / rows, (token % columns) / columns),
  )
  return chosen.map((token, k) => {
    const twins = names.filter(name => name === names[k]).length > 1
    return {
      name: `a patch ${names[k]!}${twins ? ` (${names.slice(0, k + 1).filter(name => name === names[k]).length})` : ''}`,
      x: ((token % columns) + 0.5) * patch,
      y: (Math.floor(token / columns) + 0.5) * patch,
    }
  })
}

function vector({ appearance: { data, shape, strides } }: Scale, token: number): Float32Array {
  const from = token * strides[2]!
  return data.subarray(from, from + shape[3]!)
}

function meanVector(scale: Scale): Float64Array {
  const mean = new Float64Array(scale.appearance.shape[3]!)
  for (let token = 0; token < scale.count; token++) {
    vector(scale, token).forEach((value, d) => {
      mean[d]! += value / scale.count
    })
  }
  return mean
}

function product(a: Float32Array, b: Float32Array | Float64Array): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0)
}

/** The part of the picture in words, by thirds. */
function region(down: number, across: number): string {
  const vertical = ['at the top', '', 'at the bottom'][Math.min(2, Math.floor(down * 3))]!
  const horizontal = ['left', '', 'right'][Math.min(2, Math.floor(across * 3))]!
  if (vertical === '' && horizontal === '') return 'in the middle'
  if (vertical === '') return `on the ${horizontal}`
  return horizontal === '' ? vertical : `${vertical} ${horizontal}`
}
