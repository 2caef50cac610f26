// What lies under a typed array, asked of the built-in accessors themselves: an array's own properties,
// a subclass or a Proxy cannot answer in their place.

import * as workerThreads from 'node:worker_threads'

// From Node 21 on: a buffer that its owner keeps from being transferred, such as that of Buffer's pool.
const { isMarkedAsUntransferable } = workerThreads as {
  isMarkedAsUntransferable?: (object: object) => boolean
}

type Getter<T> = (this: unknown) => T
function getter<T>(prototype: object, name: PropertyKey): Getter<T> {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as Getter<T>
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
/** `Float32Array` and so on; undefined for everything that is not a typed array. */
export const arrayKind = getter<string | undefined>(typedArray, Symbol.toStringTag)
export const lengthOf = getter<number>(typedArray, 'length')
export const byteOffsetOf = getter<number>(typedArray, 'byteOffset')
export const bufferOf = getter<ArrayBufferLike>(typedArray, 'buffer')

const bufferBytes = getter<number>(ArrayBuffer.prototype, 'byteLength')
const sharedBytes = getter<number>(SharedArrayBuffer.prototype, 'byteLength')
const isResizable = getter<boolean>(ArrayBuffer.prototype, 'resizable')
const isGrowable = getter<boolean>(SharedArrayBuffer.prototype, 'growable')

/** Array.isArray that answers for a revoked Proxy too. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** The length of a caller's array; -1 where it is none that a list of arguments has, as a Proxy can say. */
export function countOf(list: readonly unknown[]): number {
  const count: unknown = list.length
  return typeof count === 'number' && count >>> 0 === count && count <= 65536 ? count : -1
}

const pageBytes = 65536

// Buffers found to be no WebAssembly memory.
const ordinary = new WeakSet<ArrayBufferLike>()

/** Remembers that a buffer was made here, which spares {@link isFlexible} the look at it. */
export function noteOrdinary(buffer: ArrayBuffer, bytes: number): void {
  if (bytes >= pageBytes && bytes % pageBytes === 0) ordinary.add(buffer)
}

function transferError(buffer: ArrayBuffer): string {
  try {
    // Fails before anything is transferred, because the buffer stands there twice, or may not be transferred.
    structuredClone(undefined, { transfer: [buffer, buffer] })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
const probe = new ArrayBuffer(8)
const duplicate = transferError(probe)
// Deno transfers the first before it sees the second: there the question would cost the buffer.
const mayAsk = probe.byteLength > 0

// Only a buffer of WebAssembly cannot be detached, and nothing else tells. It comes in whole pages, so
// buffers of other sizes never pay for the question (12 us, once a buffer).
function isWebAssembly(buffer: ArrayBufferLike, shared: boolean, bytes: number): boolean {
  if (bytes < pageBytes || bytes % pageBytes !== 0) return false
  if (shared) return Object.isFrozen(buffer)
  if (!mayAsk || ordinary.has(buffer)) return false
  if (transferError(buffer as ArrayBuffer) !== duplicate) {
    if (isMarkedAsUntransferable?.(buffer) !== true) return true
  }
  ordinary.add(buffer)
  return false
}

function isFlexiblePlain(buffer: ArrayBufferLike): boolean {
  return isResizable.call(buffer) || isWebAssembly(buffer, false, bufferBytes.call(buffer))
}
function isFlexibleShared(buffer: ArrayBufferLike): boolean {
  return isGrowable.call(buffer) || isWebAssembly(buffer, true, sharedBytes.call(buffer))
}

/** Whether a buffer can change its size or its place: resizable, growable, WebAssembly's. */
export function isFlexible(buffer: ArrayBufferLike): boolean {
  // A prototype may lie about which of the two a buffer is; the accessors then throw.
  if (buffer instanceof SharedArrayBuffer) {
    try {
      return isFlexibleShared(buffer)
    } catch {
      return isFlexiblePlain(buffer)
    }
  }
  try {
    return isFlexiblePlain(buffer)
  } catch {
    return isFlexibleShared(buffer)
  }
}

/** Whether a buffer has been transferred away. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    // Node 20 has no `detached`; making a view of a detached buffer throws on every version.
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
