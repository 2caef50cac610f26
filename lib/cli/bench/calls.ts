import type { Definition } from '../../core/declaration/definition.ts'
import { definitions } from '../../core/operation.ts'
import type { Output } from '../../core/tensors/tensor.ts'
import * as fovea from '../../index.ts'
import type { Inputs } from './workload.ts'

export type Outputs = Readonly<Record<string, Output>>

/** An operation by its name. */
export interface NamedOperation {
  readonly definition: Definition
  readonly call: (...args: readonly unknown[]) => Outputs
}

export function operationNames(): string[] {
  return [...definitions.keys()].toSorted()
}

export function findOperation(name: string): NamedOperation | undefined {
  const definition = definitions.get(name)
  if (definition === undefined) return undefined
  return { definition, call: (fovea as unknown as Record<string, NamedOperation['call']>)[name]! }
}

/**
 * The arguments of the public function, so that what is timed is what a user calls: required tensors in
 * their order, weights where the operation can have them, then one object of everything else.
 */
export function argumentsOf(
  { tensors: specs, weights: hasWeights }: Definition,
  { tensors, params }: Inputs,
  weights: object | undefined,
  reserved: Readonly<Record<string, unknown>>,
): unknown[] {
  const required = Object.keys(specs).filter(name => !specs[name]!.optional)
  const optional = Object.entries(tensors).filter(([name]) => !required.includes(name))
  return [
    ...required.map(name => tensors[name] ?? null),
    ...(hasWeights === undefined ? [] : [weights ?? null]),
    { ...Object.fromEntries(optional), ...params, ...reserved },
  ]
}

/** The weights as the row has them: prepared, plain, or none. */
export function weightsOf({ name }: Definition, inputs: Inputs): object | undefined {
  const { weights, prepared, params } = inputs
  return prepared && weights ? fovea.prepareWeights(name, weights, params) : weights
}
