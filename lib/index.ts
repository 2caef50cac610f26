export { FoveaError } from './core/errors.ts'
export type { Dtype, Output, Tensor, TensorLike } from './core/tensor.ts'
