import type { Definition } from './definition.ts'
import type {
  Arguments,
  CallOptions,
  Exact,
  NothingAsked,
  OnlyOut,
  PromiseOptions,
  Results,
} from './types.ts'

export type { Context, Definition, OutputSpec, TensorSpec, WeightSpec } from './definition.ts'
export type { Dtype, Output, Tensor, TensorLike } from './tensor.ts'
export type { PreparedWeights, Weights } from './weights.ts'

type NoOptions = Record<never, never>

/** A synchronous operation: throws where the arguments are wrong, returns when the outputs are written. */
export type Operation<
  Args extends readonly unknown[],
  Options extends object,
  Outputs extends object,
> = <const Given extends Options & CallOptions<Outputs> = Options & NothingAsked>(
  ...args: Arguments<Args, Options, Given & Exact<Given, Options & CallOptions<Outputs>, Outputs>>
) => Results<Outputs, Given>

/** The same operation on the compute lane: rejects, and never throws. */
export type PromiseOperation<
  Args extends readonly unknown[],
  Options extends object,
  Outputs extends object,
> = <const Given extends Options & PromiseOptions<Outputs> = Options & NothingAsked>(
  ...args: Arguments<
    Args,
    Options,
    Given & Exact<Given, Options & PromiseOptions<Outputs>, Outputs>
  >
) => Promise<Results<Outputs, Given>>

/** Every operation by name. */
export const definitions: Map<string, Definition> = new Map()

/**
 * Declares an operation. `Args` are its positional arguments (weights included, as the last of them),
 * `Options` its optional tensors and parameters, `Outputs` what it returns: optional properties are the
 * outputs that come only when asked for.
 */
export function operation<
  Args extends readonly unknown[],
  Options extends object = NoOptions,
  Outputs extends object = OnlyOut,
>(definition: Definition<keyof Options & string>): Operation<Args, Options, Outputs> {
  definitions.set(definition.name, definition as unknown as Definition)
  return (() => {
    throw new Error(`${definition.name} cannot be called yet`)
  }) as unknown as Operation<Args, Options, Outputs>
}

/** The promise-returning twin of an operation. */
export function promised<
  Args extends readonly unknown[],
  Options extends object,
  Outputs extends object,
>(sync: Operation<Args, Options, Outputs>): PromiseOperation<Args, Options, Outputs> {
  return sync as unknown as PromiseOperation<Args, Options, Outputs>
}
