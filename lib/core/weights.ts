import type { TensorLike } from './tensor.ts'

/** Weights checked, folded and packed once by prepareWeights. Accepted wherever `weights` is. */
export class PreparedWeights<Name extends string = string> {
  readonly operation: Name
  constructor(operation: Name) {
    this.operation = operation
    Object.freeze(this)
  }
}

/** What an operation takes as its weights: its own names, any record of tensors, or prepared ones. */
export type Weights<Own, Name extends string> =
  | Own
  | Readonly<Record<string, TensorLike>>
  | PreparedWeights<Name>
