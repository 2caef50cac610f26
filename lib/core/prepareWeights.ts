import { type NativeArray, native } from './addon.ts'
import { describeCall } from './call/describe.ts'
import { type Frame, releaseFrame, takeFrame } from './call/frame.ts'
import { type Prepared, PreparedWeights } from './call/prepared.ts'
import { readParam, resolveParams } from './call/resolve.ts'
import { bindWeights, ownView, readWeights } from './call/weights.ts'
import { paramOption } from './declaration/plan.ts'
import { fail, nearest, words } from './errors.ts'
import { isArray } from './memory.ts'
import { findPlan } from './operation.ts'
import { fromNative } from './settings.ts'
import { allocateFloats } from './tensors/allocate.ts'
import type { TensorLike } from './tensors/tensor.ts'
import type { View } from './tensors/view.ts'

/**
 * Checks, folds and packs an operation's weights once, for any number of calls. The result is immutable
 * and shares no memory with `weights`; it is accepted wherever that operation takes weights and gives
 * the same bits. A call that leaves out a parameter takes the one given here; another value is an error.
 *
 * @param op the operation's name
 * @param weights a record of tensors, as the operation itself takes it
 * @param params the parameters that belong to the weights, as the operation itself takes them
 * @throws TypeError, RangeError as the operation itself does
 * @example
 * ```ts
 * import { linear, prepareWeights, tensor } from 'fovea'
 * const weight = tensor(Float32Array.of(1, 2, 3, 4), [2, 2])
 * const prepared = prepareWeights('linear', { weight })
 * const { out } = linear(tensor(Float32Array.of(1, 1), [1, 2]), prepared)
 * console.log(out.data.join(' ')) // => 3 7
 * ```
 */
export function prepareWeights<const Name extends string>(
  op: Name,
  weights: Readonly<Record<string, TensorLike | undefined>> | object,
  params: object = {},
): PreparedWeights<Name> {
  const plan = findPlan('prepareWeights', op)
  if (!plan.takesWeights) {
    fail('prepareWeights', 'op', 'ERR_FOVEA_OPTION', 'name an operation that has weights', op)
  }
  if (typeof weights !== 'object' || weights === null || PreparedWeights.of(weights)) {
    fail(op, 'weights', 'ERR_FOVEA_TYPE', 'be a record of tensors', weights)
  }
  const frame = takeFrame(plan)
  try {
    frame.preparing = true
    readParams(frame, params)
    readWeights(frame, weights)
    resolveParams(frame)
    bindWeights(frame)
    // Defaults that depend on sizes: the weights have told some of them.
    resolveParams(frame)
    plan.checkWeights?.(frame)
    return new PreparedWeights(op, prepare(frame))
  } finally {
    releaseFrame(frame)
  }
}

function readParams(frame: Frame, params: unknown): void {
  const { plan } = frame
  if (typeof params !== 'object' || params === null || isArray(params)) {
    fail(plan.name, 'params', 'ERR_FOVEA_TYPE', 'be an object', params)
  }
  for (const name in params) {
    const option = plan.options.get(name)
    if (option === undefined || option.kind !== paramOption) {
      const names = plan.params.map(param => param.name)
      const near = nearest(name, names)
      const rule =
        near === undefined
          ? `be a parameter, of ${names.join(', ') || 'none'}`
          : `be spelled ${near}`
      fail(plan.name, name, 'ERR_FOVEA_UNKNOWN_OPTION', rule, words(`the parameter ${name}`))
    }
    const value = (params as Record<string, unknown>)[name]
    if (value === undefined) continue
    const param = plan.params[option.index]!
    frame.raw[option.index] = readParam(param, param.param, '', value)
  }
}

function prepare(frame: Frame): Prepared {
  const { plan } = frame
  const values = plan.params.map(({ index, param }) =>
    param.perCall === true && frame.raw[index] === undefined ? undefined : frame.values[index],
  )
  const packed = pack(frame)
  const views = new Map<string, View>()
  for (let i = 0; i < frame.weights.length; i++) {
    const view = frame.weights[i]
    const weight = frame.weightPlans[i]!
    if (view != null) views.set(weight.name, ownView(weight, view, packed === null))
  }
  return { plan, values, names: [...views.keys()], views, packed }
}

/** What the engine makes of the weights; null where it makes nothing and takes them as they are. */
function pack(frame: Frame): Float32Array | null {
  const { plan } = frame
  for (let i = 0; i < frame.asked.length; i++) frame.asked[i] = false
  describeCall(frame)
  const data = frame.data.slice(0, frame.dataCount) as NativeArray[]
  try {
    const count = native.packedFloats(plan.nativeIndex, frame.meta, ...data)
    if (count === 0) return null
    const packed = allocateFloats(plan.name, 'weights', count)
    native.pack(plan.nativeIndex, frame.meta, ...data, packed)
    return packed
  } catch (error) {
    throw fromNative(error, plan.name)
  }
}
