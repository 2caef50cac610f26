// The same call on the compute lane: checked at once, run when its turn has come.

import { type NativeArray, native } from '../addon.ts'
import type { Plan } from '../declaration/plan.ts'
import { fail } from '../errors.ts'
import { fromNative } from '../settings.ts'
import { onAbort } from './abort.ts'
import { checkCall, type Results, slotName } from './call.ts'
import { describeCall } from './describe.ts'
import { type Frame, releaseFrame, takeFrame } from './frame.ts'
import { makeResults } from './outputs.ts'
import { readArguments } from './read.ts'
import type { Progress } from './types.ts'

/** Milliseconds between two looks at how far a call has come: at most 20 a second. */
const progressInterval = 50

type OnProgress = (progress: Progress) => void

interface Wishes {
  readonly signal: AbortSignal | undefined
  readonly onProgress: OnProgress | undefined
  readonly priority: number
}

let lastId = 0

// Another realm's AbortSignal is as good as this one's.
function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false
  const { aborted, addEventListener } = value as Partial<AbortSignal>
  return typeof aborted === 'boolean' && typeof addEventListener === 'function'
}

function readWishes(frame: Frame): Wishes {
  const { name } = frame.plan
  const [signal, onProgress, priority, copyInputs] = frame.promiseOptions
  if (signal !== undefined && !isSignal(signal)) {
    fail(name, 'signal', 'ERR_FOVEA_TYPE', 'be an AbortSignal', signal)
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    fail(name, 'onProgress', 'ERR_FOVEA_TYPE', 'be a function', onProgress)
  }
  if (priority !== undefined && typeof priority !== 'number') {
    fail(name, 'priority', 'ERR_FOVEA_TYPE', 'be a finite number', priority)
  }
  if (priority !== undefined && !Number.isFinite(priority)) {
    fail(name, 'priority', 'ERR_FOVEA_OPTION', 'be a finite number', priority)
  }
  if (copyInputs !== undefined && typeof copyInputs !== 'boolean') {
    fail(name, 'copyInputs', 'ERR_FOVEA_TYPE', 'be true or false', copyInputs)
  }
  frame.copyInputs = copyInputs === true
  return {
    signal,
    onProgress: onProgress as OnProgress | undefined,
    priority: priority ?? 0,
  }
}

/** One call that settles later. Rejects where the synchronous one throws. */
export async function callPromise(
  plan: Plan,
  args: readonly unknown[],
  everything = false,
): Promise<Results> {
  const frame = takeFrame(plan)
  let results: Results
  let wishes: Wishes
  let pending: Promise<void>
  const id = ++lastId
  const names: string[] = []
  try {
    frame.everything = everything
    readArguments(frame, args, true)
    wishes = readWishes(frame)
    checkCall(frame)
    if (wishes.signal?.aborted === true) throw wishes.signal.reason
    results = makeResults(frame)
    describeCall(frame)
    const slots = frame.meta[2]!
    for (let slot = 0; slot < slots; slot++) names.push(slotName(frame, slot))
    const data = frame.data.slice(0, frame.dataCount) as NativeArray[]
    try {
      pending = native.submit(plan.nativeIndex, frame.meta, id, wishes.priority, ...data)
    } catch (error) {
      throw fromNative(error, plan.name, slot => names[slot] ?? 'the call')
    }
  } finally {
    // The native side has copied the numbers and holds on to the arrays.
    releaseFrame(frame)
  }
  return settle(plan, id, pending, results, wishes, names)
}

async function settle(
  plan: Plan,
  id: number,
  pending: Promise<void>,
  results: Results,
  { signal, onProgress }: Wishes,
  names: readonly string[],
): Promise<Results> {
  let failure: { readonly reason: unknown } | undefined
  const end = (reason: unknown): void => {
    failure ??= { reason }
    native.cancel(id)
  }
  const forgetSignal = signal && onAbort(signal, () => end(signal.reason))
  const timer = onProgress && watch(id, onProgress, end)
  try {
    await pending
  } catch (error) {
    if (failure === undefined) throw fromNative(error, plan.name, slot => names[slot] ?? 'the call')
  } finally {
    clearInterval(timer)
    forgetSignal?.()
  }
  if (failure !== undefined) throw failure.reason
  return results
}

/** Looks at a call's progress now and then; what the callback throws ends the call. */
function watch(id: number, onProgress: OnProgress, end: (reason: unknown) => void): NodeJS.Timeout {
  let before = -1
  return setInterval(() => {
    const progress = native.progress(id)
    if (progress === undefined || progress.total === 0 || progress.done === before) return
    before = progress.done
    try {
      onProgress(progress)
    } catch (error) {
      end(error)
    }
  }, progressInterval)
}
