// Outputs: which of them a call computes, in which memory, and that nothing else lies there.
import { type NativeArray, native } from '../addon.ts'
import type { OutputPlan } from '../declaration/plan.ts'
import type { CompiledShape } from '../declaration/shape.ts'
import { fail, formatList, words } from '../errors.ts'
import { byteOffsetOf } from '../memory.ts'
import { allocateFloats, allocateInts } from '../tensors/allocate.ts'
import { overlap, overlapsItself } from '../tensors/overlap.ts'
import { dtypes, int32, type View } from '../tensors/view.ts'
import type { Frame } from './frame.ts'

/** Checks every output asked for; nothing is allocated yet. */
export function checkOutputs(frame: Frame): void {
  const { outputs } = frame.plan
  for (let i = 0; i < outputs.length; i++) {
    const plan = outputs[i]!
    const isAsked = frame.asked[i]!
    const reason = plan.absent?.(frame)
    if (reason !== undefined) {
      if (isAsked) refuseAbsent(frame, plan, reason)
      continue
    }
    if (!plan.optional || frame.everything) frame.asked[i] = true
    if (!frame.asked[i]) continue
    const view = frame.outs[i]!
    if (frame.outGiven[i] === null) shapeOutput(frame, plan, view)
    else checkGiven(frame, plan, view)
  }
}

function refuseAbsent(frame: Frame, plan: OutputPlan, reason: string): never {
  const argument = frame.outGiven[plan.index] === null ? 'outputs' : 'into'
  const rule = `not ask for ${plan.name} where ${reason}`
  return fail(plan.operation, argument, 'ERR_FOVEA_OUTPUT', rule, plan.name)
}

function sizeOf(frame: Frame, shape: CompiledShape, axis: number): number {
  const code = shape.axes[axis]!
  if (code >= 0) return frame.size(code)
  const { constant, terms } = shape.sums[-1 - code]!
  let size = constant
  for (const { factor, symbol } of terms) size += factor * frame.size(symbol)
  return size
}

/** Writes the output's shape into the view; returns the number of elements. */
function shapeOutput(frame: Frame, plan: OutputPlan, view: View): void {
  const shape = plan.shapes[0]!
  let rank = 0
  let size = 1
  let extent = 1
  const axes = shape.axes.length
  for (let axis = 0; axis <= axes; axis++) {
    if (axis === shape.runAt) {
      for (const n of frame.runSizes(shape.run)!) {
        view.shape[rank++] = n
        size *= n
        if (n > 1) extent *= n
      }
    }
    if (axis === axes) break
    const n = sizeOf(frame, shape, axis)
    if (n < 0) throw new Error(`${plan.operation}: nothing tells ${shape.text}`)
    view.shape[rank++] = n
    size *= n
    if (n > 1) extent *= n
  }
  view.rank = rank
  view.size = size
  view.dtype = plan.dtype
  if (extent > Number.MAX_SAFE_INTEGER) {
    const rule = 'have at most 2^53 - 1 elements'
    fail(plan.operation, plan.name, 'ERR_FOVEA_SHAPE', rule, formatList(view.sizes()))
  }
}

function checkGiven(frame: Frame, plan: OutputPlan, view: View): void {
  const argument = `into.${plan.name}`
  if (view.dtype !== plan.dtype) {
    const rule = `have ${dtypes[plan.dtype]!} elements`
    fail(plan.operation, argument, 'ERR_FOVEA_TYPE', rule, words(dtypes[view.dtype]!))
  }
  const due = frame.due
  shapeOutput(frame, plan, due)
  let agrees = view.rank === due.rank
  for (let axis = 0; agrees && axis < due.rank; axis++) {
    agrees = view.shape[axis] === due.shape[axis]
  }
  if (!agrees) {
    const code = view.rank === due.rank ? 'ERR_FOVEA_SHAPE' : 'ERR_FOVEA_RANK'
    const rule = `have shape ${formatList(due.sizes()).text}`
    fail(plan.operation, argument, code, rule, formatList(view.sizes()))
  }
  if (view.size === 0) return
  if (!view.isContiguous() && overlapsItself(view)) {
    const strides = formatList(view.strides.slice(0, view.rank)).text
    const rule = 'give every element an address of its own'
    fail(plan.operation, argument, 'ERR_FOVEA_OVERLAP', rule, words(`strides ${strides}`))
  }
  checkApart(frame, plan, view, argument)
}

// Ranges of bytes first: that is all there is to see where buffers differ, and nearly always else.
function meets(a: View, b: View): boolean {
  if (a.buffer === b.buffer) return a.low < b.high && b.low < a.high && overlap(a, b)
  return a.buffer instanceof SharedArrayBuffer && meetsShared(a, b)
}

// One shared memory may be known by several SharedArrayBuffers (structuredClone and postMessage make new
// ones), so theirs are compared by address.
function meetsShared(a: View, b: View): boolean {
  if (!(b.buffer instanceof SharedArrayBuffer) || a.data === null || b.data === null) return false
  const shift = startOf(b.data) - startOf(a.data)
  const { rank, shape, strides, elementBytes, low, high } = b
  return overlap(a, {
    rank,
    shape,
    strides,
    elementBytes,
    low: low + shift,
    high: high + shift,
  })
}

/** The address of the buffer's first byte. */
function startOf(data: NativeArray): number {
  return native.address(data) - byteOffsetOf.call(data)
}

function checkApart(frame: Frame, plan: OutputPlan, view: View, argument: string): void {
  const { tensors, outs, weights } = frame
  for (let i = 0; i < tensors.length; i++) {
    const tensor = tensors[i]!
    if (tensor.buffer === null || !meets(view, tensor)) continue
    if (i === plan.inPlace && isSameView(view, tensor)) continue
    refuseOverlap(plan, argument, frame.plan.tensors[i]!.name, i === plan.inPlace)
  }
  for (let i = 0; i < plan.index; i++) {
    if (outs[i]!.buffer === null || frame.outGiven[i] === null || !meets(view, outs[i]!)) continue
    refuseOverlap(plan, argument, `into.${frame.plan.outputs[i]!.name}`, false)
  }
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]
    if (weight == null || weight.buffer === null || !meets(view, weight)) continue
    refuseOverlap(plan, argument, `weights.${frame.weightPlans[i]!.name}`, false)
  }
}

function isSameView(a: View, b: View): boolean {
  if (a.dtype !== b.dtype || a.rank !== b.rank || a.low !== b.low || a.high !== b.high) return false
  for (let axis = 0; axis < a.rank; axis++) {
    if (a.strides[axis] !== b.strides[axis]) return false
  }
  return true
}

function refuseOverlap(plan: OutputPlan, argument: string, other: string, isPart: boolean): never {
  const rule = isPart
    ? `be ${other} itself or share no memory with it`
    : `share no memory with ${other}`
  return fail(plan.operation, argument, 'ERR_FOVEA_OVERLAP', rule, words('memory of both'))
}

interface Fresh {
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
  readonly dtype: string
}

function freshOutput(plan: OutputPlan, view: View): Fresh {
  const isInt = plan.dtype === int32
  const data = isInt
    ? allocateInts(plan.operation, plan.name, view.size)
    : allocateFloats(plan.operation, plan.name, view.size)
  view.data = data
  view.makeContiguous()
  const { rank } = view
  const shape = new Array<number>(rank)
  const strides = new Array<number>(rank)
  for (let axis = 0; axis < rank; axis++) {
    shape[axis] = view.shape[axis]!
    strides[axis] = view.strides[axis]!
  }
  return { data, shape, strides, offset: 0, dtype: isInt ? 'int32' : 'float32' }
}

/** The object that the call returns: the caller's own memory, and fresh outputs that are yet to be written. */
export function makeResults(frame: Frame): Record<string, object> {
  const { outputs } = frame.plan
  const results: Record<string, object> = {}
  for (let i = 0; i < outputs.length; i++) {
    if (!frame.asked[i]) continue
    const plan = outputs[i]!
    results[plan.name] = frame.outGiven[i] ?? freshOutput(plan, frame.outs[i]!)
  }
  return results
}
