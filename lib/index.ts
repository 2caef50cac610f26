export { type Code, type ErrorDetails, FoveaError } from './core/errors.ts'
export type { Operation, PromiseOperation } from './core/operation.ts'
export { prepareWeights } from './core/prepareWeights.ts'
export { getNumThreads, type Info, info, setNumThreads } from './core/settings.ts'
export type { Dtype, Output, Tensor, TensorLike } from './core/tensor.ts'
export type { CallOptions, OnlyOut, Progress, PromiseOptions } from './core/types.ts'
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
export * from './ops/additiveAttention.ts'
export * from './ops/attentionGate.ts'
export * from './ops/attentionGateSameSize.ts'
export * from './ops/batchNorm.ts'
export * from './ops/bilinearAttention.ts'
export * from './ops/blockSparseAttention.ts'
export * from './ops/classAttention.ts'
export * from './ops/classAttentionBlock.ts'
export * from './ops/conv2d.ts'
export * from './ops/conv3d.ts'
export * from './ops/crossCovarianceAttention.ts'
export * from './ops/effectiveSqueezeExcitation.ts'
export * from './ops/gelu.ts'
export * from './ops/globalAveragePool.ts'
export * from './ops/globalSubsampledAttention.ts'
export * from './ops/interpolateBilinear.ts'
export * from './ops/interpolateTrilinear.ts'
export * from './ops/kmeansAssign.ts'
export * from './ops/kmeansUpdate.ts'
export * from './ops/layerNorm.ts'
export * from './ops/linear.ts'
export * from './ops/locallyGroupedAttention.ts'
export * from './ops/maxPool2d.ts'
export * from './ops/mergeAttention.ts'
export * from './ops/multiHeadAttention.ts'
export * from './ops/neighborhoodAttention.ts'
export * from './ops/residualAttention.ts'
export * from './ops/residualAttentionModule.ts'
export * from './ops/rgaChannel.ts'
export * from './ops/rgaModule.ts'
export * from './ops/rgaSpatial.ts'
export * from './ops/routingAttention.ts'
export * from './ops/scaledDotProductAttention.ts'
export * from './ops/slidingWindowAttention.ts'
export * from './ops/softmax.ts'
export * from './ops/sparseAttention.ts'
export * from './ops/squeezeExcitation.ts'
export * from './ops/twinsLsaBlock.ts'
export * from './ops/xcaBlock.ts'
