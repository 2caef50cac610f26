// What the whole process has in common: threads, and what the engine says about itself.
import { native } from './addon.ts'
import { type Code, fail, foveaError } from './errors.ts'

/** What {@link info} returns. */
export interface Info {
  /** Of this package. */
  readonly version: string
  /** The instruction set in use. */
  readonly isa: string
  /** Those that this machine can run, best first. */
  readonly isas: readonly string[]
  readonly vectorBits: number
  /** How many threads a call takes where it does not say. */
  readonly threads: number
  /** What decided that: the machine, a variable of the environment, or setNumThreads. */
  readonly threadsFrom: string
  readonly compiler: string
}

let most = 0

/** The most threads that a call may ask for. */
export function maxThreads(): number {
  if (most === 0) most = native.maxThreads()
  return most
}

interface NativeFailure {
  readonly code?: unknown
  readonly slot?: unknown
  readonly argument?: unknown
  readonly expected?: unknown
  readonly received?: unknown
}

/** A failure of the native side as an error of fovea's; anything else stays what it is. */
export function fromNative(
  error: unknown,
  operation: string,
  slotName?: (slot: number) => string,
): unknown {
  const { code, slot, argument, expected, received } = (error ?? {}) as NativeFailure
  if (typeof code !== 'string' || !code.startsWith('ERR_FOVEA_')) return error
  const name = typeof slot === 'number' && slotName !== undefined ? slotName(slot) : argument
  return foveaError(
    operation,
    typeof name === 'string' ? name : 'the call',
    code as Code,
    typeof expected === 'string' ? expected : 'succeed',
    typeof received === 'string' ? received : 'something else',
    error,
  )
}

/**
 * What the engine is and runs on.
 *
 * @throws FoveaError ERR_FOVEA_ISA where FOVEA_ISA names an instruction set that this machine has not.
 * @example
 * ```ts
 * import { info } from 'fovea'
 * const { isa, isas } = info() // 'avx512' and ['avx512', 'avx2', 'scalar'], say
 * console.log(isas.includes(isa)) // => true
 * ```
 */
export function info(): Info {
  try {
    return native.info()
  } catch (error) {
    throw fromNative(error, 'info')
  }
}

/**
 * How many threads a call takes where it does not say.
 *
 * @example
 * ```ts
 * import { getNumThreads, info } from 'fovea'
 * console.log(getNumThreads() === info().threads) // => true
 * ```
 */
export function getNumThreads(): number {
  return native.getNumThreads()
}

/**
 * Sets how many threads a call takes where it does not say: of this thread of JavaScript, from now on.
 * Results do not depend on it, to the last bit.
 *
 * @param threads 1 to the larger of 256 and the number of cores
 * @throws TypeError ERR_FOVEA_TYPE, RangeError ERR_FOVEA_OPTION
 * @example
 * ```ts
 * import { getNumThreads, setNumThreads } from 'fovea'
 * setNumThreads(2)
 * console.log(getNumThreads()) // => 2
 * ```
 */
export function setNumThreads(threads: number): void {
  const rule = `be a whole number of 1 to ${maxThreads()}`
  const value: unknown = threads
  if (typeof value !== 'number') fail('setNumThreads', 'threads', 'ERR_FOVEA_TYPE', rule, value)
  if (!Number.isInteger(value) || value < 1 || value > maxThreads()) {
    fail('setNumThreads', 'threads', 'ERR_FOVEA_OPTION', rule, value)
  }
  native.setNumThreads(value)
}
