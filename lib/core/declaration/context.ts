import type { Code } from '../errors.ts'

/** What the functions of a definition see of a call. Names are those of the definition. */
export interface Context<Name extends string = string> {
  /** A size. NaN while nothing has told it, which happens in prepareWeights alone. */
  dim(name: string): number
  /** The sizes of a run (`*S`, or `...`). */
  run(name: string): readonly number[]
  /** A number or integer parameter; NaN where it is optional and left out. */
  number(name: Name): number
  flag(name: Name): boolean
  /** A choice; `''` where it is optional and left out. */
  choice(name: Name): string
  /** A list of numbers or booleans (as 0 and 1), spread to its length. */
  list(name: Name): readonly number[]
  /** Any other list, as it was given. */
  value(name: Name): unknown
  /** Whether the caller gave the parameter. */
  given(name: Name): boolean
  /** Whether a tensor is there; weights under `weights.NAME`, outputs under `out.NAME`. */
  has(name: string): boolean
  /** The validated copy of an int32 tensor, contiguous. */
  ints(name: string): Int32Array
  /** A weight's elements, row-major; undefined where it is absent or prepared weights stand in for it. */
  floats(name: string): Float32Array | undefined
  /** The sizes of a tensor or of `weights.NAME`, undefined where it is absent. */
  shape(name: string): readonly number[] | undefined
  /** Names of the weights that the caller gave. */
  readonly weightNames: readonly string[]
  /** True within prepareWeights: there are weights and parameters, and no tensors. */
  readonly preparing: boolean
  /** Throws `<op>: <argument> must <rule>; got <received>.` Strings in `received` are printed as they are. */
  fail(argument: string, code: Code, rule: string, received: unknown): never
}
