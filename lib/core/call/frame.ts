// The state of one call. Frames are kept and reused; a call that starts while another of the same
// operation is still reading its arguments (a getter may call anything) gets a frame of its own.
import type { NativeArray } from '../addon.ts'
import type { Context } from '../declaration/context.ts'
import type { ParamValue } from '../declaration/params.ts'
import type { Plan, WeightPlan } from '../declaration/plan.ts'
import { type Code, fail, words } from '../errors.ts'
import { type Argument, gather, View } from '../tensors/view.ts'
import type { Prepared } from './prepared.ts'

export class Frame implements Context {
  readonly plan: Plan
  /** By tensor; a tensor that was not given has no data. */
  readonly tensors: readonly View[]
  /** The checked copies of int32 tensors, by tensor. */
  readonly copies: (Int32Array | null)[]
  /** Sizes by symbol, -1 where unknown, and the tensor that told each. */
  readonly dims: number[] = []
  readonly dimFrom: (Argument | null)[] = []
  readonly runs: (readonly number[] | null)[] = []
  readonly runFrom: (Argument | null)[] = []
  /** What the caller gave, copied and of the right kind, by parameter. */
  readonly raw: (ParamValue | undefined)[]
  readonly values: (ParamValue | undefined)[]
  /** By output. */
  readonly asked: boolean[]
  readonly outGiven: (object | null)[]
  readonly outs: readonly View[]
  /** What the caller gave as weights, in the caller's order. */
  weightNames: readonly string[] = []
  readonly weightViews = new Map<string, View>()
  readonly #weightPool: View[] = []
  #weightsUsed = 0
  /** What the operation takes of them: in the engine's order, absent ones null. */
  readonly weightPlans: WeightPlan[] = []
  readonly weights: (View | null)[] = []
  prepared: Prepared | null = null
  preparing = false
  /** Ask for every output that the arguments allow. */
  everything = false
  threads = 0
  /** Options of promises, as given. */
  readonly promiseOptions: unknown[] = [undefined, undefined, undefined, undefined]
  copyInputs = false
  /** The shape that memory given for an output must have. */
  readonly due = new View()
  meta = new Float64Array(256)
  readonly data: (NativeArray | null)[] = []
  dataCount = 0

  constructor(plan: Plan) {
    this.plan = plan
    this.tensors = plan.tensors.map(() => new View())
    this.copies = plan.tensors.map(() => null)
    this.raw = plan.params.map(() => undefined)
    this.values = plan.params.map(() => undefined)
    this.asked = plan.outputs.map(() => false)
    this.outGiven = plan.outputs.map(() => null)
    this.outs = plan.outputs.map(() => new View())
    this.#forgetSizes()
  }

  #forgetSizes(): void {
    const { symbols } = this.plan
    for (let i = 0; i < symbols.names.length; i++) this.dims[i] = -1
    for (let i = 0; i < symbols.runs.length; i++) this.runs[i] = null
  }

  /** One number of `meta`, which grows where it must. */
  push(at: number, value: number): void {
    if (at >= this.meta.length) this.reserve(at + 1)
    this.meta[at] = value
  }

  /** Makes room for `count` numbers in `meta`. */
  reserve(count: number): void {
    if (count <= this.meta.length) return
    const meta = new Float64Array(Math.max(count, 2 * this.meta.length))
    meta.set(this.meta)
    this.meta = meta
  }

  /** Lets go of everything that belonged to the call. */
  clear(): void {
    this.#forgetSizes()
    for (let i = 0; i < this.tensors.length; i++) {
      this.tensors[i]!.clear()
      this.copies[i] = null
    }
    for (let i = 0; i < this.raw.length; i++) this.raw[i] = this.values[i] = undefined
    for (let i = 0; i < this.outs.length; i++) {
      this.outs[i]!.clear()
      this.outGiven[i] = null
      this.asked[i] = false
    }
    if (this.plan.takesWeights) {
      for (let i = 0; i < this.#weightsUsed; i++) this.#weightPool[i]!.clear()
      this.#weightsUsed = 0
      this.weightNames = []
      this.weightViews.clear()
      this.weightPlans.length = 0
      this.weights.length = 0
      this.prepared = null
    }
    this.preparing = false
    this.everything = false
    this.threads = 0
    for (let i = 0; i < this.promiseOptions.length; i++) this.promiseOptions[i] = undefined
    this.copyInputs = false
    for (let i = 0; i < this.dataCount; i++) this.data[i] = null
    this.dataCount = 0
  }

  /** A view for one more of the caller's weights. */
  nextWeightView(): View {
    let view = this.#weightPool[this.#weightsUsed]
    if (view === undefined) {
      view = new View()
      this.#weightPool.push(view)
    }
    this.#weightsUsed++
    return view
  }

  /** The size of a symbol: told by a tensor, or derived; -1 where neither has happened. */
  size(symbol: number): number {
    const known = this.dims[symbol] ?? -1
    if (known >= 0) return known
    const derive = this.plan.derived[symbol]
    if (derive === undefined) return -1
    const size = this.#derivedSize(this.plan.symbols.names[symbol]!, derive(this as never))
    if (size >= 0) {
      this.dims[symbol] = size
      this.dimFrom[symbol] = null
    }
    return size
  }

  #derivedSize(name: string, size: number | readonly number[]): number {
    if (typeof size !== 'number' || Number.isNaN(size)) return -1
    if (!Number.isSafeInteger(size) || size < 0) {
      fail(this.plan.name, 'shape', 'ERR_FOVEA_SHAPE', `leave ${name} a size of at least 0`, size)
    }
    return size
  }

  runSizes(run: number): readonly number[] | null {
    const known = this.runs[run] ?? null
    if (known !== null) return known
    const derive = this.plan.derivedRuns[run]
    if (derive === undefined) return null
    const sizes = derive(this as never)
    if (typeof sizes === 'number' || sizes.some(Number.isNaN)) return null
    for (const size of sizes) this.#derivedSize(this.plan.symbols.runs[run]!, size)
    this.runs[run] = sizes
    this.runFrom[run] = null
    return sizes
  }

  dim(name: string): number {
    const symbol = this.plan.symbols.find(name)
    if (symbol !== undefined) {
      const size = this.size(symbol)
      return size < 0 ? Number.NaN : size
    }
    const derive = this.plan.definition.derived?.[name]
    if (derive === undefined) throw new Error(`${this.plan.name} has no size ${name}`)
    return derive(this as never) as number
  }

  run(name: string): readonly number[] {
    const run = this.plan.symbols.findRun(name)
    if (run === undefined) throw new Error(`${this.plan.name} has no run ${name}`)
    return this.runSizes(run) ?? []
  }

  #value(name: string): ParamValue | undefined {
    const option = this.plan.options.get(name)
    if (option === undefined) throw new Error(`${this.plan.name} has no parameter ${name}`)
    return this.values[option.index]
  }
  number(name: string): number {
    const value = this.#value(name)
    return typeof value === 'number' ? value : Number.NaN
  }
  flag(name: string): boolean {
    return this.#value(name) === true
  }
  choice(name: string): string {
    const value = this.#value(name)
    return typeof value === 'string' ? value : ''
  }
  list(name: string): readonly number[] {
    const value = this.#value(name)
    return typeof value === 'object' ? value.map(Number) : []
  }
  value(name: string): unknown {
    return this.#value(name)
  }
  given(name: string): boolean {
    const option = this.plan.options.get(name)
    return option !== undefined && this.raw[option.index] !== undefined
  }

  has(name: string): boolean {
    const index = this.plan.tensorIndex.get(name)
    if (index !== undefined) return this.tensors[index]!.data !== null
    if (name.startsWith('weights.')) return this.weightViews.has(name.slice(8))
    if (!name.startsWith('out.')) return false
    return this.plan.outputs.some(out => out.name === name.slice(4) && this.asked[out.index]!)
  }

  #tensor(name: string): View | undefined {
    const view = this.tensors[this.plan.tensorIndex.get(name) ?? -1]
    return view === undefined || view.data === null ? undefined : view
  }

  ints(name: string): Int32Array {
    const ints = this.copies[this.plan.tensorIndex.get(name) ?? -1]
    if (ints == null) throw new Error(`${this.plan.name} has no int32 tensor ${name}`)
    return ints
  }

  floats(name: string): Float32Array | undefined {
    const view = this.weightViews.get(name)
    if (view === undefined || view.data === null) return undefined
    const floats = new Float32Array(view.size)
    gather(view, view.data as Float32Array, floats)
    return floats
  }

  shape(name: string): readonly number[] | undefined {
    const view = name.startsWith('weights.')
      ? this.weightViews.get(name.slice(8))
      : this.#tensor(name)
    return view?.sizes()
  }

  fail(argument: string, code: Code, rule: string, received: unknown): never {
    return fail(
      this.plan.name,
      argument,
      code,
      rule,
      typeof received === 'string' ? words(received) : received,
    )
  }
}

export function takeFrame(plan: Plan): Frame {
  return (plan.idleFrames.pop() as Frame | undefined) ?? new Frame(plan)
}

export function releaseFrame(frame: Frame): void {
  frame.clear()
  const { idleFrames } = frame.plan
  if (idleFrames.length < 4) idleFrames.push(frame)
}
