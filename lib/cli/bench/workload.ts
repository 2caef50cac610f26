import type { Tensor, TensorLike } from '../../core/tensors/tensor.ts'
import type { Random } from './random.ts'

/** What bounds a workload: multiply-adds, bytes read, or bytes read and written. */
export type Limit = 'fma' | 'read' | 'copy'

/** The arguments of one call, and where its outputs go. */
export interface Inputs {
  readonly tensors: Readonly<Record<string, TensorLike>>
  readonly weights?: Readonly<Record<string, Tensor>>
  /** Have prepareWeights fold and pack the weights before the clock runs. */
  readonly prepared?: boolean
  readonly params?: Readonly<Record<string, unknown>>
  /**
   * Memory for outputs. Left out: one contiguous output is written again and again. `'fresh'`: every
   * call makes its own, as a call without `into` does.
   */
  readonly into?: Readonly<Record<string, TensorLike>> | 'fresh'
}

/** One row of the benchmark. */
export interface Workload {
  /** Of the operation's rows the only one called so: the shape, and what is special. */
  readonly name: string
  /** Made just before the row is measured, and dropped after it. */
  readonly make: (random: Random) => Inputs
  readonly limit: Limit
  /** Useful work of a call: floating-point operations under `fma`, bytes under `read` and `copy`. */
  readonly work: number
  /** The share of the limit that the row is built to reach, 0 to 1. */
  readonly goal?: number
  /** The row, of the same operation, whose time this one's is given in: the two take turns. */
  readonly against?: string
  /** The largest such ratio that the row is built for. */
  readonly atMost?: number
  /** The longest time of a call that the row is built for. */
  readonly withinMicroseconds?: number
  /** Threads of the call: those of `--threads` where left out. */
  readonly threads?: number
  /** Where peers have no such call, or would do other work. */
  readonly withoutPeers?: boolean
}
