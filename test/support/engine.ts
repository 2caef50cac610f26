// The library under test, called by name: the one place where tests meet its public surface.
import { afterAll } from 'vitest'
import { native } from '../../lib/core/addon.ts'
import { callByName } from '../../lib/core/operation.ts'
import * as synchronous from '../../lib/index.ts'
import * as promises from '../../lib/promises.ts'
import type { Reference } from '../reference/reference.ts'
import { type Layout, layouts } from './layouts.ts'
import type { Dense, Inputs, View } from './tensors.ts'

export type Results = Readonly<Record<string, View>>
export type Callable = (...args: unknown[]) => Results
export type AsyncCallable = (...args: unknown[]) => Promise<Results>

/** Every instruction set of this machine, best first. */
export const isas: readonly string[] = synchronous.info().isas
export const bestIsa: string = isas[0]!

/** Runs the rest of the test on one instruction set; the suite's own is back after the file. */
export function useIsa(name: string): void {
  if (!native.selectIsa(name)) throw new Error(`${name} cannot run here`)
}
afterAll(() => useIsa(bestIsa))

export function operation(op: string): Callable {
  const found = (synchronous as unknown as Record<string, Callable | undefined>)[op]
  if (found === undefined) throw new Error(`fovea does not export ${op}`)
  return found
}

export function promised(op: string): AsyncCallable {
  const found = (promises as unknown as Record<string, AsyncCallable | undefined>)[op]
  if (found === undefined) throw new Error(`fovea/promises does not export ${op}`)
  return found
}

export const prepare = (
  op: string,
  weights: Inputs['weights'],
  params: Inputs['params'],
): unknown =>
  (synchronous.prepareWeights as unknown as (...args: unknown[]) => unknown)(op, weights, params)

const mapValues = <A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A) => B,
): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))

export interface CallOptions {
  readonly layout?: Layout
  readonly weights?: unknown
  readonly options?: Readonly<Record<string, unknown>>
}

/** The arguments of a call: required tensors, weights, options, as the contract orders them. */
export function argumentsOf(
  { required, takesWeights }: Reference,
  inputs: Inputs,
  { layout = layouts.contiguous!, weights, options }: CallOptions = {},
): unknown[] {
  const view = (tensor: Dense): View => layout(tensor)
  const optional = Object.entries(inputs.tensors).filter(([name]) => !required.includes(name))
  const tensors = required.map(name => {
    const tensor = inputs.tensors[name]
    return tensor === undefined ? null : view(tensor)
  })
  const all = { ...mapValues(Object.fromEntries(optional), view), ...inputs.params, ...options }
  if (!takesWeights) return [...tensors, all]
  return [...tensors, weights === undefined ? mapValues(inputs.weights, view) : weights, all]
}

export const call = (reference: Reference, inputs: Inputs, options?: CallOptions): Results =>
  operation(reference.op)(...argumentsOf(reference, inputs, options))

/** The outputs that these inputs give only when asked, without the cost of the reference. */
export function optionalOutputs({ op, always }: Reference, inputs: Inputs): string[] {
  const { tensors, weights, params } = inputs
  const prefixed = Object.entries(weights).map(([name, weight]) => [`weights.${name}`, weight])
  const all = callByName(op, { ...tensors, ...Object.fromEntries(prefixed) }, params)
  return Object.keys(all).filter(name => !always.includes(name))
}

export const callPromised = (
  reference: Reference,
  inputs: Inputs,
  options?: CallOptions,
): Promise<Results> => promised(reference.op)(...argumentsOf(reference, inputs, options))
