// The call in the numbers and arrays that cross the bridge (addon.ts says which).
import type { NativeArray } from '../addon.ts'
import { int32, type View } from '../tensors/view.ts'
import type { Frame } from './frame.ts'
import { writeParams } from './resolve.ts'

const header = 4

/** Fills `meta` and `data`. */
export function describeCall(frame: Frame): void {
  const { tensors, outs, weights } = frame
  let at = writeParams(frame, header)
  const params = at - header
  for (let i = 0; i < tensors.length; i++) {
    const view = tensors[i]!
    const copy = frame.copies[i] ?? null
    if (view.data === null) at = writeAbsent(frame, at)
    else if (copy !== null) at = writeInts(frame, at, view, copy)
    else at = writeSlot(frame, at, view, frame.copyInputs ? ownCopy(view) : view.data)
  }
  for (let i = 0; i < outs.length; i++) {
    const view = outs[i]!
    at = frame.asked[i] ? writeSlot(frame, at, view, view.data) : writeAbsent(frame, at)
  }
  for (let i = 0; i < weights.length; i++) {
    const view = weights[i]!
    if (view === null) at = writeAbsent(frame, at)
    else
      at = writeSlot(
        frame,
        at,
        view,
        frame.copyInputs && view.buffer !== null ? ownCopy(view) : view.data,
      )
  }
  const packed = frame.prepared?.packed ?? null
  if (packed !== null) at = writePacked(frame, at, packed)
  const { meta } = frame
  meta[0] = frame.threads
  meta[1] = params
  meta[2] = tensors.length + outs.length + weights.length + (packed === null ? 0 : 1)
  meta[3] = packed === null ? 0 : 1
}

function writeAbsent(frame: Frame, at: number): number {
  frame.reserve(at + 3)
  const { meta } = frame
  meta[at] = 0
  meta[at + 1] = 0
  meta[at + 2] = 0
  return at + 3
}

/** Without data only the shape is described. */
function writeSlot(frame: Frame, at: number, view: View, data: NativeArray | null): number {
  const { rank, shape, strides } = view
  frame.reserve(at + 3 + 2 * rank)
  const { meta } = frame
  meta[at] = view.dtype + (data === null ? 17 : 1)
  meta[at + 1] = rank
  meta[at + 2] = view.offset
  at += 3
  for (let axis = 0; axis < rank; axis++) {
    meta[at + axis] = shape[axis]!
    meta[at + rank + axis] = strides[axis]!
  }
  if (data !== null) frame.data[frame.dataCount++] = data
  return at + 2 * rank
}

function writeInts(frame: Frame, at: number, view: View, copy: Int32Array): number {
  // The overlap checks, which need the caller's own strides, lie behind.
  view.makeContiguous()
  view.dtype = int32
  return writeSlot(frame, at, view, copy)
}

function writePacked(frame: Frame, at: number, packed: Float32Array): number {
  frame.reserve(at + 5)
  const { meta } = frame
  meta[at] = 1
  meta[at + 1] = 1
  meta[at + 2] = 0
  meta[at + 3] = packed.length
  meta[at + 4] = 1
  frame.data[frame.dataCount++] = packed
  return at + 5
}

/** The bytes from the first to the last element of a view, moved to memory of our own, in the same layout. */
function ownCopy(view: View): NativeArray {
  const data = view.data!
  let first = view.offset
  let last = view.offset
  for (let axis = 0; axis < view.rank; axis++) {
    const reach = (view.shape[axis]! - 1) * view.strides[axis]!
    if (reach < 0) first += reach
    else last += reach
  }
  view.offset -= first
  return data.slice(first, view.size === 0 ? first : last + 1)
}
