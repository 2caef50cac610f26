// Calls that must be refused, for the operations of operations.ts over a bridge that only records.
import { expect } from 'vitest'
import { FoveaError } from '../../lib/core/errors.ts'
import { attend, conv, dense, route } from './operations.ts'
import { crossed } from './stubNative.ts'

export interface Structured extends Error {
  readonly code: string
  readonly operation: string
  readonly argument: string
  readonly expected: string
  readonly received: string
}

export const floats = (...shape: number[]) => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  shape,
})
export const ints = (...values: number[]) => ({
  data: new Int32Array(values),
  shape: [values.length],
})
export const q = floats(2, 4, 3, 16)
export const k = floats(2, 2, 5, 16)
export const v = floats(2, 2, 5, 8)
export const x = floats(2, 3)
export const weight = floats(4, 3)

// Calls with arguments that the types refuse.
export type Loose = (...args: unknown[]) => unknown
export const looseAttend = attend as unknown as Loose
const looseDense = dense as unknown as Loose
export const looseConv = conv as unknown as Loose
export const looseRoute = route as unknown as Loose
export const withQuery = (query: unknown) => () => looseAttend(query, k, v)
export const withOptions = (options: unknown) => () => looseAttend(q, k, v, options)
export const withWeights = (weights: unknown, options?: unknown) => () =>
  looseDense(x, weights, options)

export const map = floats(1, 6, 8, 9)
export const kernel = floats(4, 2, 3, 3)
export const withParams = (params: object) => () => looseConv(map, { weight: kernel }, params)

export function detached(): Float32Array {
  const data = new Float32Array(384)
  structuredClone(data.buffer, { transfer: [data.buffer] })
  return data
}
export function resizable(Kind: typeof ArrayBuffer | typeof SharedArrayBuffer): Float32Array {
  const Flexible = Kind as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer
  return new Float32Array(new Flexible(1536, { maxByteLength: 4096 }))
}
export function wasm(shared: boolean): Float32Array {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (o: object) => { buffer: ArrayBuffer } }
  }
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared })
  return new Float32Array(memory.buffer, 4096, 384)
}

function errorOf(run: () => unknown): Structured {
  const before = crossed.length
  try {
    run()
  } catch (error) {
    expect(crossed.length, 'nothing crossed the bridge').toBe(before)
    return error as Structured
  }
  return expect.fail('nothing was thrown')
}

const typeErrors = /_(TYPE|UNKNOWN_OPTION|WEIGHT_MISSING|WEIGHT_UNKNOWN|DETACHED|RESIZABLE)$/
const rangeErrors = /_(RANK|SHAPE|STRIDE|BOUNDS|OPTION|ALIGN|OUTPUT|OVERLAP|WEIGHT_SHAPE)$/

/** Runs a table of wrong calls, checks what all errors have in common and returns the messages. */
export function messages(table: Record<string, () => unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).map(([name, run]) => {
      const error = errorOf(run)
      const { code, operation, argument, expected, received, message } = error
      const Kind = typeErrors.test(code)
        ? TypeError
        : rangeErrors.test(code)
          ? RangeError
          : FoveaError
      expect(error, message).toBeInstanceOf(Kind)
      expect(message).toBe(`${operation}: ${argument} must ${expected}; got ${received}.`)
      return [name, `${code.replace('ERR_FOVEA_', '')} ${message}`]
    }),
  )
}
