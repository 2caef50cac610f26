import { type Results as CallResults, call } from './call/call.ts'
import { callPromise } from './call/promise.ts'
import type {
  Arguments,
  CallOptions,
  IntoOf,
  OnlyOut,
  PromiseOptions,
  Results,
} from './call/types.ts'
import type { Definition } from './declaration/definition.ts'
import { Plan } from './declaration/plan.ts'
import { fail, nearest } from './errors.ts'
import type { Output, TensorLike } from './tensors/tensor.ts'

type NoOptions = Record<never, never>

/** A synchronous operation: throws where the arguments are wrong, returns when the outputs are written. */
export type Operation<
  Args extends readonly unknown[],
  Options extends object,
  Outputs extends object,
> = <
  const Names extends readonly (keyof Outputs & string)[] | undefined = undefined,
  const Into extends IntoOf<Outputs> | undefined = undefined,
>(
  ...args: Arguments<Args, Options, Options & CallOptions<Outputs, Names, Into>>
) => Results<Outputs, Names, Into>

/** The same operation on the compute lane: rejects, and never throws. */
export type PromiseOperation<
  Args extends readonly unknown[],
  Options extends object,
  Outputs extends object,
> = <
  const Names extends readonly (keyof Outputs & string)[] | undefined = undefined,
  const Into extends IntoOf<Outputs> | undefined = undefined,
>(
  ...args: Arguments<Args, Options, Options & PromiseOptions<Outputs, Names, Into>>
) => Promise<Results<Outputs, Names, Into>>

/** Every operation by name: what it is, as data. */
export const definitions: Map<string, Definition> = new Map()
const plans = new Map<string, Plan>()
const planOf = new WeakMap<object, Plan>()

/** The plan of an operation, or an error of `caller` that says which name was meant. */
export function findPlan(caller: string, name: unknown): Plan {
  const plan = typeof name === 'string' ? plans.get(name) : undefined
  if (plan !== undefined) return plan
  if (typeof name !== 'string') {
    return fail(caller, 'op', 'ERR_FOVEA_TYPE', 'be the name of an operation', name)
  }
  const near = nearest(name, plans.keys())
  const rule = near === undefined ? 'name an operation' : `name an operation, such as ${near}`
  return fail(caller, 'op', 'ERR_FOVEA_OPTION', rule, name)
}

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
  const plan = new Plan(definition as unknown as Definition)
  definitions.set(plan.name, plan.definition)
  plans.set(plan.name, plan)
  const sync = (...args: unknown[]): CallResults => call(plan, args)
  Object.defineProperty(sync, 'name', { value: plan.name })
  planOf.set(sync, plan)
  return sync as unknown as Operation<Args, Options, Outputs>
}

/** The promise-returning twin of an operation. */
export function promised<
  Args extends readonly unknown[],
  Options extends object,
  Outputs extends object,
>(sync: Operation<Args, Options, Outputs>): PromiseOperation<Args, Options, Outputs> {
  const plan = planOf.get(sync)!
  const twin = (...args: unknown[]): Promise<CallResults> => callPromise(plan, args)
  Object.defineProperty(twin, 'name', { value: plan.name })
  return twin as unknown as PromiseOperation<Args, Options, Outputs>
}

/** The arguments of a call, from one record of tensors (weights as `weights.NAME`) and one of parameters. */
function argumentsOf(
  plan: Plan,
  tensors: Readonly<Record<string, TensorLike>>,
  params: Readonly<Record<string, unknown>>,
  extra: Readonly<Record<string, unknown>>,
): unknown[] {
  const required = plan.tensors.slice(0, plan.required).map(({ name }) => name)
  const args: unknown[] = required.map(name => tensors[name])
  const weights: Record<string, TensorLike> = {}
  const options: Record<string, unknown> = { ...params, ...extra }
  for (const [name, tensor] of Object.entries(tensors)) {
    if (required.includes(name)) continue
    if (plan.takesWeights && name.startsWith('weights.')) weights[name.slice(8)] = tensor
    else options[name] = tensor
  }
  if (plan.takesWeights) args.push(weights)
  args.push(options)
  return args
}

/** Calls an operation by its name and returns every output that it has under the parameters. */
export function callByName(
  name: string,
  tensors: Readonly<Record<string, TensorLike>>,
  params: Readonly<Record<string, unknown>>,
  extra: { readonly threads?: number } = {},
): Readonly<Record<string, Output>> {
  const plan = findPlan('fovea', name)
  return call(plan, argumentsOf(plan, tensors, params, extra), true) as Record<string, Output>
}

/** The same on the compute lane. */
export async function callByNameAsync(
  name: string,
  tensors: Readonly<Record<string, TensorLike>>,
  params: Readonly<Record<string, unknown>>,
  extra: Omit<PromiseOptions<object>, 'outputs' | 'into'> = {},
): Promise<Readonly<Record<string, Output>>> {
  const plan = findPlan('fovea', name)
  const args = argumentsOf(plan, tensors, params, { ...extra })
  return (await callPromise(plan, args, true)) as Record<string, Output>
}
