export { FoveaError } from './core/errors.ts'
export type { Dtype, Output, Tensor, TensorLike } from './core/tensor.ts'
export type { FileArray, FileDtype } from './io/dtypes.ts'
export {
  type FileTensor,
  readSafetensors,
  type Safetensors,
  type SafetensorsSource,
} from './io/readSafetensors.ts'
export { selectWeights } from './io/selectWeights.ts'
export { writeSafetensors } from './io/writeSafetensors.ts'
export { scaledDotProductAttention } from './ops/scaledDotProductAttention.ts'
