// What the engine is told of an operation's calls (native/core/form.h says how the numbers read): it answers a
// call of another form with an error, whoever made it.
import type { ListParam, Param } from './params.ts'
import type { Plan, WeightPlan } from './plan.ts'
import type { CompiledShape } from './shape.ts'
import { maxRank } from './view.ts'

const [anything, number, whole] = [0, 1, 2]
const [required, weight] = [1, 2]
const [constantAxis, untoldAxis] = [-1, -2]

/** A parameter in four numbers; none where it is a list of a length that each call tells, or all behind one. */
function parameter(param: Param): number[] | undefined {
  if (param.native === false) return []
  if (param.native !== undefined) return undefined
  if (param.kind === 'list') {
    const element = parameter(param.element)
    if (typeof param.length !== 'number' || element === undefined) return undefined
    return Array.from({ length: param.length }, () => element).flat()
  }
  // Where it is of no use anything may have been given for it.
  if (param.used !== undefined) return [anything, 0, 0, 0]
  const mayBeAbsent =
    param.optional === true || param.perCall === true || param.implied !== undefined
  const range = rangeOf(param)
  return [...range, mayBeAbsent ? (param.absent ?? -1) : range[1]]
}

function rangeOf(param: Exclude<Param, ListParam>): [kind: number, least: number, most: number] {
  if (param.kind === 'boolean') return [whole, 0, 1]
  if (param.kind === 'choice') return [whole, 0, param.choices.length - 1]
  const least = param.min ?? param.above ?? -Number.MAX_VALUE
  return [param.kind === 'integer' ? whole : number, least, param.max ?? Number.MAX_VALUE]
}

function parametersOf({ params }: Plan): number[] {
  const numbers: number[] = []
  for (const { param } of params) {
    const next = parameter(param)
    if (next === undefined) break
    numbers.push(...next)
  }
  return numbers
}

/** The numbers that describe what calls with these weights look like. */
export function formOf(plan: Plan, weights: readonly WeightPlan[]): Float64Array {
  const { names, runs } = plan.symbols
  // A run's own symbol, and one for each axis it may have.
  const runSymbol = (run: number): number => names.length + run * (maxRank + 1)
  const axisOf = (shape: CompiledShape, axis: number): number[] => {
    if (axis >= 0) return [axis, 1, 0]
    const { constant, terms } = shape.sums[-1 - axis]!
    const [term] = terms
    if (term === undefined) return [constantAxis, 1, constant]
    return terms.length > 1 ? [untoldAxis, 1, 0] : [term.symbol, term.factor, constant]
  }
  const shapeOf = (shape: CompiledShape): number[] => [
    shape.axes.length,
    shape.runAt,
    shape.runAt < 0 ? 0 : runSymbol(shape.run),
    ...shape.axes.flatMap(axis => axisOf(shape, axis)),
  ]
  const shapesOf = (
    shapes: readonly CompiledShape[],
    [least, most]: readonly [number, number] = [0, maxRank],
  ): number[] => [least, most, shapes.length, ...shapes.flatMap(shapeOf)]
  const groups: string[] = []
  const groupOf = (group: string | undefined): number => {
    if (group === undefined) return -1
    if (!groups.includes(group)) groups.push(group)
    return groups.indexOf(group)
  }

  const slots: number[][] = []
  for (const { optional, group, absentWhen, accepts, shapes, ranks } of plan.tensors) {
    const start = [optional ? 0 : required, groupOf(group), indexOf(plan, absentWhen), accepts]
    slots.push([...start, ...shapesOf(shapes, ranks)])
  }
  for (const { optional, dtype, shapes } of plan.outputs) {
    slots.push([optional ? 0 : required, -1, -1, 1 << dtype, ...shapesOf(shapes)])
  }
  for (const { optional, group, spec, shapes } of weights) {
    if (spec.unused === true) continue
    const flags = optional ? weight : weight | required
    slots.push([flags, groupOf(group && `weights.${group}`), -1, 1, ...shapesOf(shapes)])
  }
  const parameters = parametersOf(plan)
  const symbols = names.length + runs.length * (maxRank + 1)
  const counts = [symbols, parameters.length / 4, slots.length]
  return Float64Array.from([...counts, ...parameters, ...slots.flat()])
}

/** The place of a parameter among those of the engine; -1 for none. */
function indexOf(plan: Plan, name: string | undefined): number {
  const seen = plan.params.filter(({ param }) => param.native !== false)
  return seen.findIndex(param => param.name === name)
}
