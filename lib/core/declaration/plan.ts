// A definition compiled once: names become numbers, shapes become lists, so that a call runs over flat
// arrays.
import { opIndex } from '../addon.ts'
import type { Dtype } from '../tensors/tensor.ts'
import { type Argument, dtypes } from '../tensors/view.ts'
import type { Context } from './context.ts'
import type { Definition, OutputSpec, TensorSpec, WeightSpec } from './definition.ts'
import { encode, type Param } from './params.ts'
import { type CompiledShape, compileShapes, Symbols } from './shape.ts'

// What a call looks at stands in the plans themselves: they are all of one form, which the definitions'
// own objects are not, and reading those would cost several times as much.

export interface TensorPlan extends Argument {
  readonly index: number
  readonly spec: TensorSpec
  readonly absentWhen: string | undefined
  readonly broadcast: boolean
  readonly ranks: readonly [least: number, most: number] | undefined
  readonly shapes: readonly CompiledShape[]
  /** Bit i: dtypes[i] is welcome. */
  readonly accepts: number
  readonly isInteger: boolean
  readonly optional: boolean
  readonly group: string | undefined
}

export interface ParamPlan extends Argument {
  readonly index: number
  readonly param: Param
  /** The default where it is a constant; undefined where the call decides. */
  readonly constant: number | boolean | string | undefined
  /** What the engine sees of that default. */
  readonly constantCode: number
  /** Whether the engine sees exactly one number. */
  readonly isScalar: boolean
}

export interface OutputPlan extends Argument {
  readonly index: number
  readonly spec: OutputSpec
  readonly shapes: readonly CompiledShape[]
  readonly absent: ((c: Context) => string | undefined) | undefined
  readonly dtype: number
  readonly optional: boolean
  /** The tensor that it may overwrite; -1 where there is none. */
  readonly inPlace: number
}

export interface WeightPlan extends Argument {
  readonly spec: WeightSpec
  readonly shapes: readonly CompiledShape[]
  readonly optional: boolean
  readonly group: string | undefined
}

/** What an option's name stands for. */
export const paramOption = 0
export const tensorOption = 1
export const reservedOption = 2
interface OptionPlan {
  readonly kind: number
  readonly index: number
}

export const reservedNames = ['outputs', 'into', 'threads'] as const
export const promiseNames = ['signal', 'onProgress', 'priority', 'copyInputs'] as const

const usuallyEmpty: ReadonlySet<string> = new Set([
  'B',
  'H',
  'Hkv',
  'L',
  'Lq',
  'Lk',
  'N',
  'Dv',
  '...',
])

type Derive = (c: never) => number | readonly number[]

export class Plan {
  readonly name: string
  readonly definition: Definition
  readonly symbols = new Symbols()
  readonly tensors: readonly TensorPlan[]
  /** By name: checks ask for tensors at every call. */
  readonly tensorIndex: ReadonlyMap<string, number>
  /** How many of them are required, and stand first. */
  readonly required: number
  readonly params: readonly ParamPlan[]
  readonly outputs: readonly OutputPlan[]
  readonly takesWeights: boolean
  /** Undefined where the weights depend on the call. */
  readonly weights: readonly WeightPlan[] | undefined
  readonly options: ReadonlyMap<string, OptionPlan>
  readonly check: ((c: Context) => void) | undefined
  readonly checkWeights: ((c: Context) => void) | undefined
  /** By symbol and by run. */
  readonly derived: (Derive | undefined)[] = []
  readonly derivedRuns: (Derive | undefined)[] = []
  readonly mayBeEmpty: boolean[] = []
  readonly mayRunBeEmpty: boolean[] = []

  /** Frames at rest (frame.ts). */
  readonly idleFrames: unknown[] = []

  readonly #mayBeEmpty: ReadonlySet<string>
  readonly #nonEmpty: ReadonlySet<string>
  readonly #weightPlans = new Map<string, WeightPlan>()
  #nativeIndex = -1

  constructor(definition: Definition) {
    this.definition = definition
    this.name = definition.name
    this.check = definition.check
    this.checkWeights = definition.checkWeights
    this.#mayBeEmpty = new Set(definition.mayBeEmpty)
    this.#nonEmpty = new Set(definition.nonEmpty)
    this.tensors = Object.entries(definition.tensors).map(([name, spec], index) =>
      this.#tensor(name, spec, index),
    )
    this.tensorIndex = new Map(this.tensors.map(({ name, index }) => [name, index]))
    this.required = this.tensors.filter(({ optional }) => !optional).length
    if (this.tensors.slice(0, this.required).some(({ optional }) => optional)) {
      throw new Error(`${this.name}: required tensors stand before optional ones`)
    }
    this.params = Object.entries(definition.params ?? {}).map(([name, param], index) =>
      this.#param(name, param as Param, index),
    )
    this.outputs = Object.entries(definition.outputs).map(([name, spec], index) =>
      this.#output(name, spec, index),
    )
    this.takesWeights = definition.weights !== undefined
    this.weights =
      typeof definition.weights === 'object' ? this.weightPlans(definition.weights) : undefined
    this.options = this.#options()
    this.#extend()
  }

  get nativeIndex(): number {
    if (this.#nativeIndex < 0) this.#nativeIndex = opIndex(this.name)
    return this.#nativeIndex
  }

  /** The plans of weights that the definition named for one call; shapes met before are not compiled again. */
  weightPlans(specs: Readonly<Record<string, WeightSpec>>): WeightPlan[] {
    const plans: WeightPlan[] = []
    for (const name of Object.keys(specs)) {
      const spec = specs[name]!
      const shape = typeof spec.shape === 'string' ? spec.shape : spec.shape.join('|')
      const key = `${name} ${String(spec.optional)} ${String(spec.unused)} ${shape}`
      let plan = this.#weightPlans.get(key)
      if (plan === undefined) {
        plan = {
          operation: this.name,
          prefix: 'weights.',
          name,
          spec,
          shapes: compileShapes(spec.shape, this.symbols),
          optional: spec.optional !== undefined && spec.optional !== false,
          group: typeof spec.optional === 'string' ? spec.optional : undefined,
        }
        this.#weightPlans.set(key, plan)
        this.#extend()
      }
      plans.push(plan)
    }
    return plans
  }

  #tensor(name: string, spec: TensorSpec, index: number): TensorPlan {
    const accepted: readonly Dtype[] =
      typeof spec.dtype === 'object' ? spec.dtype : [spec.dtype ?? 'float32']
    return {
      operation: this.name,
      prefix: '',
      name,
      index,
      spec,
      absentWhen: spec.absentWhen,
      broadcast: spec.broadcast === true,
      ranks: spec.ranks,
      shapes: compileShapes(spec.shape, this.symbols),
      accepts: accepted.reduce((mask, dtype) => mask | (1 << dtypes.indexOf(dtype)), 0),
      isInteger: spec.dtype === 'int32',
      optional: spec.optional !== undefined && spec.optional !== false,
      group: typeof spec.optional === 'string' ? spec.optional : undefined,
    }
  }

  #param(name: string, param: Param, index: number): ParamPlan {
    const value = param.default
    const isConstant =
      param.kind !== 'list' && param.implied === undefined && typeof value !== 'object'
    const constant = isConstant ? (value as number | boolean | string | undefined) : undefined
    return {
      operation: this.name,
      prefix: '',
      name,
      index,
      param,
      constant,
      constantCode: constant === undefined ? 0 : encode(param, constant),
      isScalar: param.kind !== 'list' && param.native === undefined,
    }
  }

  #output(name: string, spec: OutputSpec, index: number): OutputPlan {
    return {
      operation: this.name,
      prefix: 'into.',
      name,
      index,
      spec,
      shapes: compileShapes(spec.shape, this.symbols),
      absent: spec.absent,
      dtype: dtypes.indexOf(spec.dtype ?? 'float32'),
      optional: spec.optional === true,
      inPlace:
        spec.inPlace === undefined
          ? -1
          : this.tensors.findIndex(tensor => tensor.name === spec.inPlace),
    }
  }

  #options(): Map<string, OptionPlan> {
    const options = new Map<string, OptionPlan>()
    for (const { name, index } of this.params) options.set(name, { kind: paramOption, index })
    for (const { name, index, optional } of this.tensors) {
      if (optional) options.set(name, { kind: tensorOption, index })
    }
    for (const [index, name] of [...reservedNames, ...promiseNames].entries()) {
      options.set(name, { kind: reservedOption, index })
    }
    return options
  }

  // What belongs to the names that shapes use: called again when shapes of weights bring new ones.
  #extend(): void {
    const derived = this.definition.derived as Readonly<Record<string, Derive>> | undefined
    const isEmptiable = (name: string): boolean =>
      this.#mayBeEmpty.has(name) || (usuallyEmpty.has(name) && !this.#nonEmpty.has(name))
    for (let i = this.mayBeEmpty.length; i < this.symbols.names.length; i++) {
      const name = this.symbols.names[i]!
      this.mayBeEmpty.push(isEmptiable(name))
      this.derived.push(derived?.[name])
    }
    for (let i = this.mayRunBeEmpty.length; i < this.symbols.runs.length; i++) {
      const name = this.symbols.runs[i]!
      this.mayRunBeEmpty.push(isEmptiable(name))
      this.derivedRuns.push(derived?.[name])
    }
  }
}
