import type { Dtype } from '../tensors/tensor.ts'
import type { Context } from './context.ts'
import type { Param } from './params.ts'

/**
 * Shapes are written as axes separated by blanks. An axis is a number, a name, or a sum of names with
 * optional factors (`3E`, `1+N`, `D+Dk`); a name stands for one size throughout the call. `...` (once,
 * in front) is any number of leading axes and `*S` a run of axes with a name. Several spellings are
 * told apart by their rank.
 */
export type Shape = string | readonly string[]

export interface TensorSpec {
  readonly shape: Shape
  /** float32 unless said otherwise. */
  readonly dtype?: Dtype | readonly Dtype[]
  /** Given as an option. The name of a group: all of its tensors or none. */
  readonly optional?: boolean | string
  /** numpy-style: rank 2 or the full one, any axis may be 1. The engine sees the full shape with zero strides. */
  readonly broadcast?: boolean
  /** The boolean parameter under which a required tensor is absent (`null` where it would stand). */
  readonly absentWhen?: string
  /** Ranks allowed where the shape alone does not say. */
  readonly ranks?: readonly [least: number, most: number]
  /** int32 tensors: bounds of every element; a name is a size or an integer parameter. */
  readonly min?: number
  readonly max?: number | string
  /** One line for `fovea ops`. */
  readonly note?: string
}

export interface WeightSpec {
  readonly shape: Shape
  /** The name of a group: all of its weights or none. */
  readonly optional?: boolean | string
  /** Accepted, checked to be a tensor, and otherwise ignored: the engine sees no slot for it. */
  readonly unused?: boolean
}

export interface OutputSpec {
  readonly shape: Shape
  readonly dtype?: 'float32' | 'int32'
  /** Computed only where `outputs` or `into` asks for it. */
  readonly optional?: boolean
  /** Why the arguments leave this output without meaning (“globalTokens is given”), or undefined. */
  readonly absent?: (c: Context) => string | undefined
  /** The tensor whose very elements this output may overwrite. */
  readonly inPlace?: string
}

/**
 * An operation as data: what its tensors, weights, parameters and outputs are. The engine sees one slot
 * for each tensor (required ones, then optional), output and weight (that is not `unused`), and one
 * number for each parameter (one an element for lists), all in the order in which they stand here.
 */
export interface Definition<Name extends string = string> {
  readonly name: string
  /** One line. */
  readonly summary: string
  readonly paper?: string
  /** Required ones first, in the order in which they are given; then the optional ones. */
  readonly tensors: Readonly<Record<string, TensorSpec>>
  readonly outputs: Readonly<Record<string, OutputSpec>>
  /**
   * In a fixed order. As a function: what the parameters, sizes and names at hand call for. Where a
   * parameter says how many weights there are it must have a `max`, for a caller may say anything.
   */
  readonly weights?:
    | Readonly<Record<string, WeightSpec>>
    | ((c: Context<Name>) => Readonly<Record<string, WeightSpec>>)
  readonly params?: { readonly [name in Name]?: Param }
  /** Sizes and runs that follow from others, for shapes of weights, later tensors and outputs. */
  readonly derived?: Readonly<Record<string, (c: Context<Name>) => number | readonly number[]>>
  /**
   * `B H Hkv L Lq Lk N Dv` and `...` may be 0 and every other size must be at least 1, unless a name
   * stands here.
   */
  readonly mayBeEmpty?: readonly string[]
  readonly nonEmpty?: readonly string[]
  /**
   * What the shapes of the weights cannot say. Runs in calls and in prepareWeights, where the sizes that
   * only tensors tell are NaN.
   */
  readonly checkWeights?: (c: Context<Name>) => void
  /** What the rest cannot say. Runs when everything else has been checked, before anything is written. */
  readonly check?: (c: Context<Name>) => void
}
