import { contrastGain, filters } from './filters.ts'
import type { Grid } from './grid.ts'

/** What the three heads of a token describe. */
export const heads = ['colour', 'texture', 'place'] as const
/** Numbers a head. */
export const headSize = 32

const energyGroups = [...new Set(filters.filter(({ signed }) => !signed).map(({ group }) => group))]

/**
 * The descriptors of all patches, [count, 3, 32], from the pooled responses of the patch itself and of its
 * surroundings. Colour and place are written as sines and cosines, so that the product of two tokens
 * falls off with the distance of what they describe; texture is how strongly each kind of stripe occurs.
 */
export function describePatches(own: Float32Array, around: Float32Array, grid: Grid): Float32Array {
  const count = grid.rows * grid.columns
  const tokens = new Float32Array(count * heads.length * headSize)
  const put = (head: number, columns: readonly Float64Array[]): void => {
    columns.forEach((column, k) => {
      for (let token = 0; token < count; token++) {
        tokens[(token * heads.length + head) * headSize + k] = column[token]!
      }
    })
  }
  const [lightness, greenRed, blueYellow] = ['lightness', 'green to red', 'blue to yellow'].map(
    name => signed(own, count, name),
  ) as [Float64Array, Float64Array, Float64Array]
  put(0, [
    ...waves(lightness, 0.5, 1.7, 4),
    ...waves(greenRed, 0.8, 1.7, 4),
    ...waves(blueYellow, 0.8, 1.7, 4),
    ...waves(signed(around, count, 'lightness'), 0.35, 1.7, 4),
  ])
  put(1, [...textures(own, count), ...textures(around, count)])
  put(2, [
    ...placeWaves(grid, token => token % grid.columns),
    ...placeWaves(grid, token => Math.floor(token / grid.columns)),
  ])
  return tokens
}

/** 16 channels [C, count] between 0 and 1 over the photograph: colours, spots, and stripes by size and angle. */
export function featureMap(
  own: Float32Array,
  count: number,
): { values: Float32Array; channels: string[] } {
  const colours = filters.filter(filter => filter.signed).map(({ name }) => name)
  const stripes = energyGroups.filter(group => group.startsWith('stripes'))
  const values = new Float32Array((colours.length + stripes.length) * count)
  const readings = [
    ...colours.map(name => signed(own, count, name)),
    ...stripes.map(group => logarithm(energy(own, count, group))),
  ]
  readings.forEach((reading, channel) => {
    values.set(unit(reading), channel * count)
  })
  return { values, channels: [...colours, ...stripes] }
}

/** gelu(r) - gelu(-r) = r: the response itself, averaged over the patch. */
function signed(pooled: Float32Array, count: number, name: string): Float64Array {
  const filter = filters.findIndex(each => each.name === name)
  const stride = 2 * filters.length
  return Float64Array.from(
    { length: count },
    (_, token) =>
      (pooled[token * stride + 2 * filter]! - pooled[token * stride + 2 * filter + 1]!) /
      contrastGain,
  )
}

/** gelu(r) + gelu(-r), about |r|, summed over the phases of a group. */
function energy(pooled: Float32Array, count: number, group: string): Float64Array {
  const stride = 2 * filters.length
  const total = new Float64Array(count)
  filters.forEach((filter, f) => {
    if (filter.group !== group) return
    for (let token = 0; token < count; token++) {
      total[token]! +=
        (pooled[token * stride + 2 * f]! + pooled[token * stride + 2 * f + 1]!) / contrastGain
    }
  })
  return total
}

/** 16 columns: the energy of every group, their sum, and the spot, each with mean 0 and deviation 1. */
function textures(pooled: Float32Array, count: number): Float64Array[] {
  const energies = energyGroups.map(group => energy(pooled, count, group))
  const sum = Float64Array.from({ length: count }, (_, token) =>
    energies.reduce((total, each) => total + each[token]!, 0),
  )
  const spot = signed(pooled, count, 'dark or bright spot')
  return [...[...energies, sum].map(logarithm), spot].map(standardised)
}

/** Contrast is judged by ratio: doubling a faint one shows as much as doubling a strong one. */
function logarithm(energies: Float64Array): Float64Array {
  return energies.map(value => Math.log(Math.max(value, 0) + 0.01))
}

/** Sine and cosine of each value at frequencies that grow by a ratio. */
function waves(
  values: Float64Array,
  base: number,
  ratio: number,
  frequencies: number,
): Float64Array[] {
  return Array.from({ length: frequencies }, (_, k) => Math.PI * base * ratio ** k).flatMap(
    frequency => [
      values.map(value => Math.sin(frequency * value)),
      values.map(value => Math.cos(frequency * value)),
    ],
  )
}

/** One coordinate of every patch, measured against the longer side of the picture. */
function placeWaves(grid: Grid, coordinate: (token: number) => number): Float64Array[] {
  const longer = Math.max(grid.rows, grid.columns)
  const positions = Float64Array.from(
    { length: grid.rows * grid.columns },
    (_, token) => coordinate(token) / longer,
  )
  return waves(positions, 1, 1.45, 8)
}

function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return values.map(value => (value - mean) / Math.sqrt(variance + 1e-9))
}

function unit(values: Float64Array): Float64Array {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  return values.map(value => (most > least ? (value - least) / (most - least) : 0.5))
}
