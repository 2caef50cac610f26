// CaiT (Touvron et al. 2021) sec. 3: only the class token asks, of all tokens, itself included.
import { type Inputs, sliceAxis } from '../support/tensors.ts'
import { attend, joinHeads, splitHeads } from './grid.ts'
import { affineOver, type Dense64, range } from './maths.ts'
import type { Reference } from './reference.ts'

/** The output [B, 1, C] for tokens [B, 1 + N, C], with weights named from `prefix` on. */
export function classAttend(
  tokens: Inputs['tensors'][string],
  weights: Inputs['weights'],
  heads: number,
  prefix = '',
): Dense64 {
  const C = tokens.shape[2]!
  const projected = (name: string): Dense64 =>
    affineOver(
      name === 'q' ? sliceAxis(tokens, 1, 0, 1) : tokens,
      weights[`${prefix}${name}.weight`]!,
      weights[`${prefix}${name}.bias`],
    )
  const { out } = attend(
    {
      query: splitHeads(projected('q'), heads),
      key: splitHeads(projected('k'), heads),
      value: splitHeads(projected('v'), heads),
    },
    1 / Math.sqrt(C / heads),
    () => range(tokens.shape[1]!),
  )
  return affineOver(joinHeads(out), weights[`${prefix}proj.weight`]!, weights[`${prefix}proj.bias`])
}

export const classAttention: Reference = {
  op: 'classAttention',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute: ({ tensors, weights, params }) => ({
    out: classAttend(tensors.x!, weights, params.heads as number),
  }),
}
