// A call from its arguments to the engine and back.
import { type NativeArray, native } from '../addon.ts'
import type { Plan } from '../declaration/plan.ts'
import { fail } from '../errors.ts'
import { fromNative } from '../settings.ts'
import { bindTensor, copyInts } from './bind.ts'
import { describeCall } from './describe.ts'
import { type Frame, releaseFrame, takeFrame } from './frame.ts'
import { checkOutputs, makeResults } from './outputs.ts'
import { readArguments } from './read.ts'
import { resolveParams } from './resolve.ts'
import { bindWeights } from './weights.ts'

export type Results = Record<string, object>

/** Everything that has to be right before the engine runs. */
export function checkCall(frame: Frame): void {
  const { plan } = frame
  const { tensors } = plan
  for (let i = 0; i < plan.required; i++) {
    if (frame.tensors[i]!.data !== null) bindTensor(frame, tensors[i]!)
  }
  resolveParams(frame)
  for (let i = plan.required; i < tensors.length; i++) {
    if (frame.tensors[i]!.data !== null) bindTensor(frame, tensors[i]!)
    else if (tensors[i]!.group !== undefined) checkGroup(frame, i)
  }
  for (let i = 0; i < tensors.length; i++) {
    if (tensors[i]!.isInteger && frame.tensors[i]!.data !== null) copyInts(frame, tensors[i]!)
  }
  if (plan.takesWeights) {
    bindWeights(frame)
    plan.checkWeights?.(frame)
  }
  plan.check?.(frame)
  checkOutputs(frame)
}

/** Optional tensors that only come together. */
function checkGroup(frame: Frame, missing: number): void {
  const { tensors } = frame.plan
  const tensor = tensors[missing]!
  for (let i = frame.plan.required; i < tensors.length; i++) {
    if (tensors[i]!.group !== tensor.group || frame.tensors[i]!.data === null) continue
    const rule = `be given where ${tensors[i]!.name} is`
    fail(tensor.operation, tensor.name, 'ERR_FOVEA_TYPE', rule, undefined)
  }
}

/** Spread calls cost twice as much as written-out ones, so the common counts are written out. */
function run(frame: Frame): void {
  const op = frame.plan.nativeIndex
  const { meta } = frame
  const d = frame.data as NativeArray[]
  switch (frame.dataCount) {
    case 2:
      native.run(op, meta, d[0]!, d[1]!)
      break
    case 3:
      native.run(op, meta, d[0]!, d[1]!, d[2]!)
      break
    case 4:
      native.run(op, meta, d[0]!, d[1]!, d[2]!, d[3]!)
      break
    case 5:
      native.run(op, meta, d[0]!, d[1]!, d[2]!, d[3]!, d[4]!)
      break
    case 6:
      native.run(op, meta, d[0]!, d[1]!, d[2]!, d[3]!, d[4]!, d[5]!)
      break
    default:
      native.run(op, meta, ...d.slice(0, frame.dataCount))
  }
}

/** The argument that a slot stands for. */
export function slotName(frame: Frame, slot: number): string {
  const { tensors, outputs } = frame.plan
  if (slot < tensors.length) return tensors[slot]!.name
  const output = slot - tensors.length
  if (output < outputs.length) {
    return (frame.outGiven[output] === null ? '' : 'into.') + outputs[output]!.name
  }
  const weight = frame.weightPlans[output - outputs.length]
  return weight === undefined ? 'weights' : `weights.${weight.name}`
}

/** One synchronous call. */
export function call(plan: Plan, args: readonly unknown[], everything = false): Results {
  const frame = takeFrame(plan)
  try {
    frame.everything = everything
    readArguments(frame, args, false)
    checkCall(frame)
    const results = makeResults(frame)
    describeCall(frame)
    try {
      run(frame)
    } catch (error) {
      throw fromNative(error, plan.name, slot => slotName(frame, slot))
    }
    return results
  } finally {
    releaseFrame(frame)
  }
}
