// How a result is judged: within atol + rtol * |want|, or bit for bit.
import { expect } from 'vitest'
import { type Dense, eachAddress, sizeOf, toDense, type View } from './tensors.ts'

export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

interface Difference {
  /** Worst error as a multiple of what is allowed: passed when at most 1. */
  readonly ratio: number
  readonly index: number
  readonly got: number
  readonly want: number
}

/**
 * The element furthest out of tolerance. Infinities must be equal, NaN stands where NaN is wanted
 * and nowhere else, whole numbers are equal.
 */
function worstDifference(got: View, want: Dense, { rtol, atol }: Tolerance): Difference {
  const exact = want.data instanceof Int32Array || want.data instanceof Uint8Array
  let worst: Difference = { ratio: 0, index: -1, got: Number.NaN, want: Number.NaN }
  eachAddress(got, (address, index) => {
    const g = got.data[address]!
    const w = want.data[index]!
    if (g === w || (Number.isNaN(g) && Number.isNaN(w))) return
    let ratio = Math.abs(g - w) / (exact ? 0 : atol + rtol * Math.abs(w))
    if (Number.isNaN(ratio) || !Number.isFinite(w)) ratio = Number.POSITIVE_INFINITY
    if (ratio > worst.ratio) worst = { ratio, index, got: g, want: w }
  })
  return worst
}

/** Why `got` is not `want`, or undefined where it is. */
export function difference(got: View, want: Dense, tolerance: Tolerance): string | undefined {
  if (
    got.shape.length !== want.shape.length ||
    got.shape.some((n, axis) => n !== want.shape[axis])
  ) {
    return `shape [${got.shape.join(', ')}] instead of [${want.shape.join(', ')}]`
  }
  const worst = worstDifference(got, want, tolerance)
  if (worst.ratio <= 1) return undefined
  const at: number[] = []
  let rest = worst.index
  for (let axis = want.shape.length - 1; axis >= 0; axis--) {
    at.unshift(rest % want.shape[axis]!)
    rest = Math.floor(rest / want.shape[axis]!)
  }
  return `${worst.got} instead of ${worst.want} at [${at.join(', ')}], ${worst.ratio.toPrecision(3)} times the tolerance`
}

export function expectClose(got: View, want: Dense, tolerance: Tolerance, label = ''): void {
  const why = difference(got, want, tolerance)
  if (why !== undefined) expect.fail(`${label}: ${why}`)
}

/** Equal to the last bit: -0 is not 0, and a NaN equals only itself. */
export function sameBits(a: View, b: View): boolean {
  if (sizeOf(a.shape) !== sizeOf(b.shape)) return false
  const bytes = (view: View): Uint8Array => {
    const { data } = toDense(view)
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  }
  return Buffer.compare(bytes(a), bytes(b)) === 0
}

export function expectSameBits(a: View, b: View, label = ''): void {
  if (sameBits(a, b)) return
  const left = toDense(a).data
  const right = toDense(b).data
  const index = left.findIndex((value, n) => !Object.is(value, right[n]))
  const count = left.filter((value, n) => !Object.is(value, right[n])).length
  expect.fail(
    `${label}: ${count} of ${left.length} elements differ, the first at ${index}: ${left[index]} and ${right[index]}`,
  )
}
