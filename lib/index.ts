export { type Code, type ErrorDetails, FoveaError } from './core/errors.ts'
export { prepareWeights } from './core/prepareWeights.ts'
export { getNumThreads, type Info, info, setNumThreads } from './core/settings.ts'
export type { Dtype, Output, Tensor, TensorLike } from './core/tensor.ts'
export type { CallOptions, PromiseOptions } from './core/types.ts'
export {
  permute,
  reshape,
  slice,
  type TensorData,
  type TensorOptions,
  tensor,
} from './core/views.ts'
export type { PreparedWeights, Weights } from './core/weights.ts'
export type { FileArray, FileDtype } from './io/dtypes.ts'
export {
  type FileTensor,
  readSafetensors,
  type Safetensors,
  type SafetensorsSource,
} from './io/readSafetensors.ts'
export { selectWeights } from './io/selectWeights.ts'
export { writeSafetensors } from './io/writeSafetensors.ts'
export { gelu } from './ops/gelu.ts'
export { globalAveragePool } from './ops/globalAveragePool.ts'
export type { LayerNormOptions, LayerNormWeights } from './ops/layerNorm.ts'
export { layerNorm } from './ops/layerNorm.ts'
export { scaledDotProductAttention } from './ops/scaledDotProductAttention.ts'
export { softmax } from './ops/softmax.ts'
