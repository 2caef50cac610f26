// Shapes against the definition: a name stands for one size throughout a call.

import type { TensorPlan } from '../declaration/plan.ts'
import { type CompiledShape, type Sum, spelling } from '../declaration/shape.ts'
import { type Code, fail, formatList, words } from '../errors.ts'
import { allocateInts } from '../tensors/allocate.ts'
import { type Argument, dtypes, gather, type View } from '../tensors/view.ts'
import type { Frame } from './frame.ts'

/** A tensor or a weight, and the shapes that it may have. */
interface Shaped extends Argument {
  readonly shapes: readonly CompiledShape[]
}

/** Weights have one code for whatever is wrong with their shape. */
function shapeCode(argument: Argument, otherwise: Code = 'ERR_FOVEA_SHAPE'): Code {
  return argument.prefix === 'weights.' ? 'ERR_FOVEA_WEIGHT_SHAPE' : otherwise
}

/** Binds one of the operation's tensors: its element type, its rank, its sizes. */
export function bindTensor(frame: Frame, plan: TensorPlan): void {
  const view = frame.tensors[plan.index]!
  if (((plan.accepts >> view.dtype) & 1) === 0) refuseDtype(plan, view)
  const { ranks } = plan
  if (plan.broadcast) {
    broadcastTo(frame, plan, view)
    return
  }
  if (ranks !== undefined && (view.rank < ranks[0] || view.rank > ranks[1])) {
    refuseRank(plan, view, ` of rank ${ranks[0]} to ${ranks[1]}`)
  }
  bindShape(frame, plan, view)
}

function refuseDtype(plan: TensorPlan, view: View): never {
  const welcome = dtypes.filter((_, dtype) => ((plan.accepts >> dtype) & 1) === 1)
  const rule = `have ${welcome.join(' or ')} elements`
  return fail(plan.operation, plan.name, 'ERR_FOVEA_TYPE', rule, words(dtypes[view.dtype]!))
}

function refuseRank(argument: Shaped, view: View, ranks = ''): never {
  const texts = argument.shapes.map(({ text }) => `[${text.split(' ').join(', ')}]`)
  const rule = `have shape ${texts.join(' or ')}${ranks}`
  return fail(
    argument.operation,
    argument.prefix + argument.name,
    shapeCode(argument, 'ERR_FOVEA_RANK'),
    rule,
    formatList(view.sizes()),
  )
}

/** Holds a shape against the sizes that are known, and learns those that are not. */
export function bindShape(frame: Frame, argument: Shaped, view: View): void {
  const { rank } = view
  const shape = spelling(argument.shapes, rank)
  if (shape === undefined) refuseRank(argument, view)
  const { axes, runAt } = shape
  const { dims } = frame
  const { derived } = frame.plan
  const sizes = view.shape
  const before = runAt < 0 ? rank : runAt
  for (let i = 0; i < before; i++) {
    const axis = axes[i]!
    const n = sizes[i]!
    // The common cases first: an earlier tensor told the size, and it agrees; or this one tells it.
    if (axis >= 0) {
      const known = dims[axis]
      if (known === n) continue
      if (known === -1 && n > 0 && derived[axis] === undefined) {
        dims[axis] = n
        frame.dimFrom[axis] = argument
        continue
      }
    }
    bindAxis(frame, argument, shape, view, axis, n)
  }
  if (runAt < 0) return
  const behind = axes.length - runAt
  bindRun(frame, argument, shape, view, runAt, rank - behind)
  for (let i = 0; i < behind; i++) {
    bindAxis(frame, argument, shape, view, axes[runAt + i]!, sizes[rank - behind + i]!)
  }
}

function bindAxis(
  frame: Frame,
  argument: Argument,
  shape: CompiledShape,
  view: View,
  axis: number,
  n: number,
): void {
  if (axis < 0) {
    bindSum(frame, argument, shape, view, shape.sums[-1 - axis]!, n)
    return
  }
  const known = frame.size(axis)
  if (known < 0) bindSymbol(frame, argument, axis, n)
  else if (known !== n) mismatch(frame, argument, shape, view)
}

function bindSymbol(frame: Frame, argument: Argument, symbol: number, n: number): void {
  const { plan } = frame
  if (n === 0 && !plan.mayBeEmpty[symbol]) {
    refuseEmpty(argument, plan.symbols.names[symbol]!)
  }
  frame.dims[symbol] = n
  frame.dimFrom[symbol] = argument
}

function refuseEmpty(argument: Argument, name: string): never {
  fail(
    argument.operation,
    argument.prefix + argument.name,
    shapeCode(argument),
    `have a size ${name} of at least 1`,
    0,
  )
}

function bindSum(
  frame: Frame,
  argument: Argument,
  shape: CompiledShape,
  view: View,
  sum: Sum,
  n: number,
): void {
  let rest = n - sum.constant
  let unknown = -1
  let factor = 0
  for (const { factor: times, symbol } of sum.terms) {
    const size = frame.size(symbol)
    if (size >= 0) {
      rest -= times * size
    } else if (unknown < 0 || unknown === symbol) {
      unknown = symbol
      factor += times
    } else {
      // Two unknown sizes in one sum: whatever tells them later is held against the whole call.
      return
    }
  }
  if (unknown < 0) {
    if (rest !== 0) mismatch(frame, argument, shape, view)
    return
  }
  const size = rest / factor
  if (!Number.isInteger(size) || size < 0) mismatch(frame, argument, shape, view)
  bindSymbol(frame, argument, unknown, size)
}

function bindRun(
  frame: Frame,
  argument: Argument,
  shape: CompiledShape,
  view: View,
  from: number,
  to: number,
): void {
  const { plan } = frame
  const known = frame.runSizes(shape.run)
  if (known === null) {
    const sizes = view.shape.slice(from, to)
    if (!plan.mayRunBeEmpty[shape.run] && sizes.includes(0)) {
      refuseEmpty(argument, plan.symbols.runs[shape.run]!)
    }
    frame.runs[shape.run] = sizes
    frame.runFrom[shape.run] = argument
    return
  }
  let isSame = known.length === to - from
  for (let i = from; isSame && i < to; i++) isSame = view.shape[i] === known[i - from]
  if (!isSame) mismatch(frame, argument, shape, view)
}

// Both sides of the disagreement: the shape with the sizes that are known, who told them, what came.
function mismatch(frame: Frame, argument: Argument, shape: CompiledShape, view: View): never {
  const self = argument.prefix + argument.name
  const sources = new Map<string, string[]>()
  const tell = (name: string, from: Argument | null | undefined): void => {
    if (from == null || from === argument) return
    const names = sources.get(from.prefix + from.name) ?? []
    if (!names.includes(name)) names.push(name)
    sources.set(from.prefix + from.name, names)
  }
  const symbolText = (symbol: number): string => {
    const name = frame.plan.symbols.names[symbol]!
    const size = frame.size(symbol)
    if (size < 0) return name
    tell(name, frame.dimFrom[symbol])
    return `${name}=${size}`
  }
  const axisTexts = shape.axes.map(axis => {
    if (axis >= 0) return symbolText(axis)
    const sum = shape.sums[-1 - axis]!
    let total = sum.constant
    let isKnown = true
    for (const { factor, symbol } of sum.terms) {
      symbolText(symbol)
      const size = frame.size(symbol)
      if (size < 0) isKnown = false
      total += factor * size
    }
    return isKnown ? String(total) : sumText(frame, sum)
  })
  if (shape.runAt >= 0) {
    const name = frame.plan.symbols.runs[shape.run]!
    const run = frame.runSizes(shape.run)
    if (run !== null) tell(name === '...' ? 'leading axes' : name, frame.runFrom[shape.run])
    axisTexts.splice(shape.runAt, 0, ...(run === null ? [name] : run.map(String)))
  }
  const told = [...sources].map(([from, names]) => `${names.join(' and ')} as in ${from}`)
  const rule = `have shape [${axisTexts.join(', ')}]${told.length > 0 ? `, ${told.join(', ')}` : ''}`
  fail(argument.operation, self, shapeCode(argument), rule, formatList(view.sizes()))
}

function sumText(frame: Frame, { constant, terms }: Sum): string {
  const texts = terms.map(
    ({ factor, symbol }) => `${factor === 1 ? '' : factor}${frame.plan.symbols.names[symbol]!}`,
  )
  if (constant !== 0 || texts.length === 0) texts.unshift(String(constant))
  return texts.join('+')
}

/** Gives a mask or a bias the full shape: axes of size 1, and leading ones that are not there, repeat. */
function broadcastTo(frame: Frame, plan: TensorPlan, view: View): void {
  const full = plan.shapes[0]!
  const rank = full.axes.length
  if (view.rank !== rank && view.rank !== 2) {
    refuseRank(plan, view, `, or its last two axes, any of them 1`)
  }
  const { shape, strides } = view
  const missing = rank - view.rank
  const given = view.sizes()
  for (let i = rank - 1; i >= 0; i--) {
    const size = frame.size(full.axes[i]!)
    const n = i < missing ? 1 : given[i - missing]!
    if (n !== size && n !== 1) {
      const sizes = full.axes.map(axis => `${frame.plan.symbols.names[axis]!}=${frame.size(axis)}`)
      fail(
        plan.operation,
        plan.name,
        'ERR_FOVEA_SHAPE',
        `have shape [${sizes.join(', ')}] or its last two axes, any of them 1`,
        formatList(given),
      )
    }
    strides[i] = n === 1 ? 0 : strides[i - missing]!
    shape[i] = size
  }
  view.rank = rank
  if (view.size > 0) {
    let size = 1
    for (let i = 0; i < rank; i++) size *= shape[i]!
    view.size = size
  }
}

/** Copies an int32 tensor and checks the copy: the caller may change the original at any time. */
export function copyInts(frame: Frame, plan: TensorPlan): void {
  const view = frame.tensors[plan.index]!
  const copy = allocateInts(plan.operation, plan.name, view.size)
  gather(view, view.data as Int32Array, copy)
  frame.copies[plan.index] = copy
  const { spec } = plan
  const min = spec.min ?? Number.NEGATIVE_INFINITY
  const max =
    typeof spec.max === 'string' ? bound(frame, spec.max) : (spec.max ?? Number.POSITIVE_INFINITY)
  for (let i = 0; i < copy.length; i++) {
    const n = copy[i]!
    if (n >= min && n <= max) continue
    const rule =
      spec.max === undefined
        ? `hold numbers of at least ${min}`
        : `hold numbers of ${spec.min ?? 'any size'} to ${max}${typeof spec.max === 'string' ? ` (${spec.max})` : ''}`
    fail(plan.operation, plan.name, 'ERR_FOVEA_BOUNDS', rule, words(`${n} as element ${i}`))
  }
}

function bound(frame: Frame, name: string): number {
  return frame.plan.options.has(name) ? frame.number(name) : frame.dim(name)
}
