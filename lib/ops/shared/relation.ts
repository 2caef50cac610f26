// What the operations of relation-aware global attention share: the weights of a half, the sizes that
// the ratios lead to.

import type { Context } from '../../core/declaration/context.ts'
import type { WeightSpec } from '../../core/declaration/definition.ts'
import { type IntegerParam, integer, type NumberParam } from '../../core/declaration/params.ts'
import type { TensorLike } from '../../core/tensors/tensor.ts'
import { bnEps, type NormNames, normWeights } from './norm.ts'

export type RelationHalf = 'spatial' | 'channel'

type Embedding<Name extends string> = `${Name}.0.weight` | NormNames<`${Name}.1`>

/** The names of RGA_Module's state_dict for one half. */
export type RelationWeights<Half extends RelationHalf> = Readonly<
  Record<
    | Embedding<`${'theta' | 'phi' | 'gg' | 'gx' | 'W'}_${Half}`>
    | `W_${Half}.3.weight`
    | NormNames<`W_${Half}.4`>,
    TensorLike
  >
>

/** Parameters that all of them have. */
export interface RelationOptions {
  /** Divides the channels C: theta, phi and gx over positions have floor(C / chaRatio). Default 8. */
  readonly chaRatio?: number | undefined
  /** Divides the positions N: theta, phi and gx over channels have floor(N / spaRatio). Default 8. */
  readonly spaRatio?: number | undefined
  /** Divides the layer between the relations and the attention. Default 8. */
  readonly downRatio?: number | undefined
  /** The eps of all norms; above 0, default 1e-5. */
  readonly bnEps?: number | undefined
}

export const relationParams: {
  chaRatio: IntegerParam
  spaRatio: IntegerParam
  downRatio: IntegerParam
  bnEps: NumberParam
} = {
  chaRatio: integer({ default: 8, min: 1 }),
  spaRatio: integer({ default: 8, min: 1 }),
  downRatio: integer({ default: 8, min: 1 }),
  bnEps: bnEps(),
}

/** The weights of a half, in the engine's order. */
export function relationWeights(half: RelationHalf): Record<string, WeightSpec> {
  const [nodes, features, embedded, related, hidden] =
    half === 'spatial' ? ['N', 'C', 'Ic', 'Is', 'Hs'] : ['C', 'N', 'Is', 'Ic', 'Hc']
  const layer = (name: string, outs: string, ins: string): Record<string, WeightSpec> => ({
    [`${name}_${half}.0.weight`]: { shape: `${outs} ${ins} 1 1` },
    ...normWeights(`${name}_${half}.1`, outs!),
  })
  return {
    ...layer('theta', embedded!, features!),
    ...layer('phi', embedded!, features!),
    ...layer('gg', related!, `2${nodes}`),
    ...layer('gx', embedded!, features!),
    ...layer('W', hidden!, `1+${related}`),
    [`W_${half}.3.weight`]: { shape: `1 ${hidden} 1 1` },
    ...normWeights(`W_${half}.4`, '1'),
  }
}

/** floor(size / ratio), where the ratio is not too large for that. */
function reduced(c: Context, size: number, ratio: string, what: string): number {
  const quotient = Math.floor(size / c.number(ratio))
  if (quotient === 0)
    c.fail(ratio, 'ERR_FOVEA_OPTION', `be at most ${what}, ${size}`, c.number(ratio))
  return quotient
}

/** N positions, Ic and Is embedded channels and positions, Hs and Hc of the layers between. */
export const relationSizes: Readonly<Record<string, (c: Context) => number>> = {
  N: c => c.dim('H') * c.dim('W'),
  Ic: c => reduced(c, c.dim('C'), 'chaRatio', 'the channels of x'),
  Is: c => reduced(c, c.dim('N'), 'spaRatio', 'the positions of x'),
  Hs: c => reduced(c, 1 + c.dim('Is'), 'downRatio', 'the spatial relations and one'),
  Hc: c => reduced(c, 1 + c.dim('Ic'), 'downRatio', 'the channel relations and one'),
}
