// Random maps to be resized, over any number of axes.
import type { Random } from '../../support/random.ts'
import type { Inputs } from '../../support/tensors.ts'

export const interpolation = (
  random: Random,
  from: readonly number[],
  size: number | readonly number[],
  alignCorners?: boolean,
): Inputs => ({
  tensors: { x: random.tensor([2, 3, ...from]) },
  weights: {},
  params: { size, ...(alignCorners === undefined ? {} : { alignCorners }) },
})

export function anyInterpolation(random: Random, axes: number, most: number): Inputs {
  const sizes = (): number[] => Array.from({ length: axes }, () => random.integer(1, most))
  return interpolation(random, sizes(), sizes(), random.boolean())
}
