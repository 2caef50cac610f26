// Prepared weights: the object that a caller holds, and what it stands for.
import type { ParamValue } from '../declaration/params.ts'
import type { Plan } from '../declaration/plan.ts'
import type { TensorLike } from '../tensors/tensor.ts'
import type { View } from '../tensors/view.ts'

/** What prepareWeights keeps. */
export interface Prepared {
  readonly plan: Plan
  /** By parameter; undefined where each call chooses. */
  readonly values: readonly (ParamValue | undefined)[]
  readonly names: readonly string[]
  /** By name: of the right shape, and, where the engine packs nothing, with copies of the elements. */
  readonly views: ReadonlyMap<string, View>
  readonly packed: Float32Array | null
}

/** Weights checked, folded and packed once by prepareWeights. Accepted wherever `weights` is. */
export class PreparedWeights<Name extends string = string> {
  /** The operation that they were prepared for. */
  readonly operation: Name
  readonly #prepared: Prepared

  constructor(operation: Name, prepared: Prepared) {
    this.operation = operation
    this.#prepared = prepared
    Object.freeze(this)
  }

  static of(value: object): Prepared | undefined {
    return #prepared in value ? value.#prepared : undefined
  }
}

/** What an operation takes as its weights: its own names, any record of tensors, or prepared ones. */
export type Weights<Own, Name extends string> =
  | Own
  | Readonly<Record<string, TensorLike>>
  | PreparedWeights<Name>
