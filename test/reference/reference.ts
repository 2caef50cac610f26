// What a reference is: an operation written out from its paper in float64, in plain loops, knowing
// nothing of the engine. One file an operation, named like it; verified against its golden cases.
import type { Dense, Inputs, Outputs } from '../support/tensors.ts'

export interface Reference {
  readonly op: string
  /** Why it has no golden cases; left out where it has some. */
  readonly withoutGolden?: string
  /** The tensors that come first and by position, in that order. */
  readonly required: readonly string[]
  /** Whether a weights argument follows them. */
  readonly takesWeights: boolean
  /** Outputs that are returned unasked. */
  readonly always: readonly string[]
  /**
   * Whether the first axis of this tensor is the batch (for operations on rows, the rows). All
   * outputs then have it first too; an operation that mixes its batch answers false throughout.
   */
  readonly isBatched: (name: string, tensor: Dense) => boolean
  /** Every output that these inputs give. */
  readonly compute: (inputs: Inputs) => Outputs
}
