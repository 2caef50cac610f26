// Weights of batch norms as tests draw them: variances well above 0, some weights negative.
import type { Random } from '../../support/random.ts'
import { type Dense, float32 } from '../../support/tensors.ts'

/** The four vectors of the norm `prefix`. */
export function normWeights(
  random: Random,
  prefix: string,
  channels: number,
): Record<string, Dense> {
  return {
    [`${prefix}.weight`]: random.tensor([channels], 0.5, 0.8),
    [`${prefix}.bias`]: random.tensor([channels], 0.3),
    [`${prefix}.running_mean`]: random.tensor([channels], 0.3),
    [`${prefix}.running_var`]: float32([channels], () => 0.5 + random.next()),
  }
}
