// Weights: read from the caller's record at each call, or taken from what prepareWeights made of one.

import type { Plan, WeightPlan } from '../declaration/plan.ts'
import { fail, nearest, words } from '../errors.ts'
import { arrayKind, isArray } from '../memory.ts'
import { allocateFloats } from '../tensors/allocate.ts'
import { widen } from '../tensors/half.ts'
import { bfloat16, float16, float32, gather, readView, type View } from '../tensors/view.ts'
import { bindShape } from './bind.ts'
import type { Frame } from './frame.ts'
import { PreparedWeights } from './prepared.ts'

/** Takes prepared weights for what they are; a record is left for {@link readWeights}. */
export function readPrepared(frame: Frame, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const prepared = PreparedWeights.of(value)
  if (prepared === undefined) return
  if (prepared.plan !== frame.plan) {
    const rule = `be weights prepared for ${frame.plan.name}`
    fail(frame.plan.name, 'weights', 'ERR_FOVEA_TYPE', rule, words(prepared.plan.name))
  }
  frame.prepared = prepared
  frame.weightNames = prepared.names
  for (const [name, view] of prepared.views) frame.weightViews.set(name, view)
}

/** The statistics counter that a checkpoint carries beside every batch norm. */
const isCounter = (name: string): boolean =>
  name === 'num_batches_tracked' || name.endsWith('.num_batches_tracked')

/** Reads a record of weights; what the operation makes of the names comes later. */
export function readWeights(frame: Frame, record: unknown): void {
  if (frame.prepared !== null || record === undefined || record === null) return
  const { plan } = frame
  if (typeof record !== 'object' || isArray(record) || arrayKind.call(record) !== undefined) {
    fail(
      plan.name,
      'weights',
      'ERR_FOVEA_TYPE',
      'be a record of tensors, or prepared weights',
      record,
    )
  }
  const names: string[] = []
  for (const name in record) {
    const tensor = (record as Record<string, unknown>)[name]
    if (tensor === undefined) continue
    names.push(name)
    if (isCounter(name)) continue
    if (typeof tensor !== 'object' || tensor === null) refuseValue(plan, name)
    const view = frame.nextWeightView()
    readView(view, { operation: plan.name, prefix: 'weights.', name }, tensor)
    frame.weightViews.set(name, view)
  }
  frame.weightNames = names
}

// What is no tensor at all may stand under a name that is none of the weights: that is the better answer.
function refuseValue(plan: Plan, name: string): void {
  const known = plan.weights?.map(weight => weight.name)
  if (known?.includes(name)) return
  if (known !== undefined || plan.options.has(name))
    refuseName(plan, name, known ?? [], known ?? [])
}

/** Holds the weights given against those that the operation has in this call. */
export function bindWeights(frame: Frame): void {
  const { plan, weightViews } = frame
  const plans = plan.weights ?? dynamicPlans(frame)
  let found = 0
  for (let i = 0; i < plans.length; i++) {
    const weight = plans[i]!
    const view = weightViews.get(weight.name)
    if (view !== undefined) found++
    if (weight.spec.unused === true) continue
    frame.weightPlans.push(weight)
    frame.weights.push(view ?? null)
  }
  if (found < weightViews.size || frame.weightNames.length > weightViews.size) {
    refuseUnknown(frame, plans)
  }
  for (let i = 0; i < frame.weights.length; i++) {
    const weight = frame.weightPlans[i]!
    const view = frame.weights[i]!
    if (view === null) {
      if (!weight.optional) refuseMissing(weight)
      if (weight.group !== undefined) checkGroup(frame, weight)
      continue
    }
    bindShape(frame, weight, view)
    if (view.dtype !== float32) toFloat32(weight, view)
  }
}

function dynamicPlans(frame: Frame): readonly WeightPlan[] {
  const { weights } = frame.plan.definition
  return typeof weights === 'function' ? frame.plan.weightPlans(weights(frame)) : []
}

function refuseUnknown(frame: Frame, plans: readonly WeightPlan[]): void {
  const { plan } = frame
  const known = plans.map(({ name }) => name)
  const hasCounters = known.some(name => /(^|\.)running_mean$/.test(name))
  for (const name of frame.weightNames) {
    if (known.includes(name) || (hasCounters && isCounter(name))) continue
    const missing = known.filter(candidate => !frame.weightViews.has(candidate))
    refuseName(plan, name, known, missing)
  }
}

function refuseName(
  plan: Plan,
  name: string,
  known: readonly string[],
  missing: readonly string[],
): never {
  const near = nearest(name, missing)
  const rule = plan.options.has(name)
    ? 'be given with the options, which come after the weights'
    : near !== undefined
      ? `be spelled ${near}`
      : `be a weight that ${plan.name} has here (${listed(known)})`
  return fail(
    plan.name,
    `weights.${name}`,
    'ERR_FOVEA_WEIGHT_UNKNOWN',
    rule,
    words(`a weight ${name}`),
  )
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ')
  if (names.length === 0) return 'none'
  return names.length <= 12 ? shown : `${shown} and ${names.length - 12} more`
}

function refuseMissing(weight: WeightPlan): never {
  fail(
    weight.operation,
    `weights.${weight.name}`,
    'ERR_FOVEA_WEIGHT_MISSING',
    'be given',
    undefined,
  )
}

function checkGroup(frame: Frame, weight: WeightPlan): void {
  const other = frame.weightPlans.find(
    (candidate, i) => candidate.group === weight.group && frame.weights[i] !== null,
  )
  if (other === undefined) return
  const rule = `be given where weights.${other.name} is`
  fail(weight.operation, `weights.${weight.name}`, 'ERR_FOVEA_WEIGHT_MISSING', rule, undefined)
}

/** A contiguous float32 copy takes the place of what the view showed. */
function toFloat32(weight: WeightPlan, view: View): void {
  const name = `weights.${weight.name}`
  if (view.dtype !== float16 && view.dtype !== bfloat16) {
    const rule = 'have float32, float16 or bfloat16 elements'
    fail(weight.operation, name, 'ERR_FOVEA_TYPE', rule, view.data)
  }
  const floats = allocateFloats(weight.operation, name, view.size)
  // The upper half holds the bits until they are widened from its front on.
  const bits = new Uint16Array(floats.buffer, floats.byteOffset + 2 * view.size, view.size)
  gather(view, view.data as Uint16Array, bits)
  widen(bits, view.dtype, floats)
  view.data = floats
  view.dtype = float32
  view.makeContiguous()
}

/** A copy of a view that shares nothing with the caller. */
export function ownView(weight: WeightPlan, view: View, withElements: boolean): View {
  const own = view.copyLayout()
  if (withElements) {
    const floats = allocateFloats(weight.operation, `weights.${weight.name}`, view.size)
    gather(view, view.data as Float32Array, floats)
    own.data = floats
    own.makeContiguous()
  }
  return own
}
