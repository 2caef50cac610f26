import type { FileTensor } from '../io/readSafetensors.ts'

export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

/** The worst element of an output. */
export interface Comparison {
  readonly passed: boolean
  /** Error over tolerance: above 1 where it failed, 0 where there are no elements. */
  readonly ratio: number
  /** Row-major. */
  readonly index: number
  readonly got: number
  readonly want: number
}

/** Types whose elements are not the numbers of their array. */
const coded: ReadonlySet<string> = new Set(['float16', 'bfloat16', 'complex64'])

function isComparable(dtype: string): boolean {
  return !coded.has(dtype) && !/^float[468](_|$)/.test(dtype)
}

/**
 * |got - want| over atol + rtol |want|. Infinities must be equal, a NaN is right where one is expected
 * and nowhere else.
 */
export function errorRatio(got: number, want: number, { rtol, atol }: Tolerance): number {
  if (got === want || (Number.isNaN(got) && Number.isNaN(want))) return 0
  if (!Number.isFinite(got) || !Number.isFinite(want)) return Number.POSITIVE_INFINITY
  const error = Math.abs(got - want)
  const allowed = atol + rtol * Math.abs(want)
  if (error <= allowed) return error / allowed
  // A quotient just above 1 may round to 1, and then would count as passed.
  return Math.max(error / allowed, 1 + Number.EPSILON)
}

/** Compares a contiguous output of the expected shape, element by element. */
export function compareElements(
  got: ArrayLike<number>,
  want: FileTensor,
  tolerance: Tolerance,
): Comparison {
  if (!isComparable(want.dtype)) {
    throw new Error(`elements of ${want.dtype} cannot be compared`)
  }
  const { data } = want
  let ratio = 0
  let index = 0
  for (let i = 0; i < got.length; i++) {
    const here = errorRatio(got[i]!, Number(data[i]), tolerance)
    if (here > ratio) {
      ratio = here
      index = i
    }
  }
  return { passed: ratio <= 1, ratio, index, got: got[index] ?? 0, want: Number(data[index] ?? 0) }
}
