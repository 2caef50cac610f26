// The ratio by which a bottleneck has fewer channels than the map: weights tell it, a caller may too.
import type { Context } from '../../core/declaration/context.ts'
import { type IntegerParam, integer } from '../../core/declaration/params.ts'

/** floor(C / reduction) is the width of the bottleneck, which the weights fix; the engine never sees it. */
export const reductionParam = (): IntegerParam => integer({ min: 1, optional: true, native: false })

/** Refuses a reduction that does not lead from `channels` to the rows of `weight`, or that none does. */
export function checkReduction(c: Context, channels: number, weight: string): void {
  const [rows] = c.shape(weight) as [number, ...number[]]
  const reduction = c.number('reduction')
  if (!Number.isNaN(reduction)) {
    if (Math.floor(channels / reduction) === rows) return
    const rule = `bring ${channels} channels down to the ${rows} of ${weight}`
    c.fail('reduction', 'ERR_FOVEA_OPTION', rule, reduction)
  }
  if (Math.floor(channels / Math.floor(channels / rows)) === rows) return
  const rule = `have floor(${channels} / reduction) rows for a whole reduction`
  c.fail(weight, 'ERR_FOVEA_WEIGHT_SHAPE', rule, rows)
}
