// What attention by heads shares.
import type { Context } from '../../core/declaration/context.ts'
import { dynamic, type NumberParam, number } from '../../core/declaration/params.ts'

/** The factor of the scores. */
export const scaleParam = (): NumberParam =>
  number({ default: dynamic('1/sqrt(D)', c => 1 / Math.sqrt(c.dim('D'))) })

/** Refuses key heads that the query heads cannot share evenly. */
export function checkKeyHeads(c: Context): void {
  const [heads, keyHeads] = [c.dim('H'), c.dim('Hkv')]
  if (keyHeads === 0 ? heads === 0 : heads % keyHeads === 0) return
  c.fail('key', 'ERR_FOVEA_SHAPE', `have a number of heads that divides ${heads}`, keyHeads)
}
