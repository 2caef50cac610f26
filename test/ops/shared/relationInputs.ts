// Inputs of relation-aware global attention, either half or both.

import type { Random } from '../../support/random.ts'
import type { Dense, Inputs } from '../../support/tensors.ts'
import { normWeights } from './normInputs.ts'

export type Half = 'spatial' | 'channel'

export interface RelationSizes {
  readonly B?: number
  readonly C?: number
  readonly size?: readonly [H: number, W: number]
  readonly ratios?: readonly [cha: number, spa: number, down: number]
}

function weightsOf(
  random: Random,
  half: Half,
  [C, N]: readonly [number, number],
  [cha, spa, down]: readonly [number, number, number],
): Record<string, Dense> {
  const [ofChannels, ofPositions] = [Math.floor(C / cha), Math.floor(N / spa)]
  const [nodes, features, embedded, related] =
    half === 'spatial' ? [N, C, ofChannels, ofPositions] : [C, N, ofPositions, ofChannels]
  const hidden = Math.floor((1 + related) / down)
  const layer = (name: string, outs: number, ins: number): Record<string, Dense> => ({
    [`${name}_${half}.0.weight`]: random.tensor([outs, ins, 1, 1], ins ** -0.5),
    ...normWeights(random, `${name}_${half}.1`, outs),
  })
  return {
    ...layer('theta', embedded, features),
    ...layer('phi', embedded, features),
    ...layer('gg', related, 2 * nodes),
    ...layer('gx', embedded, features),
    ...layer('W', hidden, 1 + related),
    [`W_${half}.3.weight`]: random.tensor([1, hidden, 1, 1]),
    ...normWeights(random, `W_${half}.4`, 1),
  }
}

/** A call of the operation with these halves; the ratios leave every layer a few channels. */
export function relationInputs(
  random: Random,
  halves: readonly Half[],
  given: RelationSizes = {},
): Inputs {
  const { B = random.integer(1, 3), C = random.integer(4, 20) } = given
  const { size = [random.integer(2, 6), random.integer(2, 7)], ratios = [2, 3, 2] } = given
  const sizes = [C, size[0] * size[1]] as const
  const [chaRatio, spaRatio, downRatio] = ratios
  return {
    tensors: { x: random.tensor([B, C, ...size]) },
    weights: Object.assign({}, ...halves.map(half => weightsOf(random, half, sizes, ratios))),
    params: { chaRatio, spaRatio, downRatio },
  }
}
