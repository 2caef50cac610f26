import { tensor } from '../../../../core/tensors/makeTensor.ts'
import type { Tensor } from '../../../../core/tensors/tensor.ts'
import type { Random } from '../../random.ts'

/** The four vectors of the batch norm `prefix`. */
export function normWeights(
  random: Random,
  prefix: string,
  channels: number,
): Record<string, Tensor> {
  return {
    [`${prefix}.weight`]: random.tensor([channels]),
    [`${prefix}.bias`]: random.tensor([channels]),
    [`${prefix}.running_mean`]: random.tensor([channels]),
    [`${prefix}.running_var`]: tensor(new Float32Array(channels).fill(1.5), [channels]),
  }
}
