// Batch norms as checkpoints hold them: four vectors of as many elements as there are channels.
import type { WeightSpec } from '../../core/declaration/definition.ts'
import { type NumberParam, number } from '../../core/declaration/params.ts'

/** The names of a batch norm's weights. */
export type NormNames<Prefix extends string> =
  `${Prefix}.${'weight' | 'bias' | 'running_mean' | 'running_var'}`

/** The weights of the norm `prefix`, in the engine's order. */
export function normWeights(prefix: string, channels: string): Record<string, WeightSpec> {
  return Object.fromEntries(
    ['weight', 'bias', 'running_mean', 'running_var'].map(name => [
      `${prefix}.${name}`,
      { shape: channels },
    ]),
  )
}

/** The one eps of all norms of an operation. */
export const bnEps = (): NumberParam => number({ default: 1e-5, above: 0 })
