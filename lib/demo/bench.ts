import { getNumThreads, setNumThreads, type Tensor } from '../index.ts'

/** A measured call: one line of the table. */
export interface Row {
  /** What tells this row from others of the operation. */
  readonly label: string
  readonly shape: string
  readonly milliseconds: number
  readonly gflops: number
  /** Of the multiply-add peak of one core. */
  readonly share: number
  /** The largest absolute difference from the float64 computation, over every element of the output. */
  readonly difference: number
  /** Whether that is what float32 leaves: at most 1e-4 of the largest value. */
  readonly agrees: boolean
}

/** What an exhibit has measured. */
export interface Measurement<Result> {
  readonly label: string
  readonly shape: string
  /** Floating-point operations of one run: what the formula asks for, two a multiply-add. */
  readonly flops: number
  /** Called many times. Give outputs through `into` where their allocation would weigh. */
  readonly run: () => Result
  /** The output to be checked; its elements in row-major order are those of `expected`. */
  readonly output: (result: Result) => Tensor
  /** The same in plain float64 (exhibits/shared/reference.ts). */
  readonly expected: () => ArrayLike<number>
}

/** What an exponential or an error function counts as: about the terms of its polynomial. */
export const functionFlops = 12

/** What exhibits measure with. */
export interface Bench {
  measure<Result>(measurement: Measurement<Result>): { result: Result; row: Row }
}

/** The shortest window worth a reading of the clock. */
const windowSeconds = 0.015

/**
 * Times on one thread.
 * @param peak GFLOP/s of multiply-adds that one core reaches
 * @param clock seconds that one thread has computed
 * @param rowSeconds how long a row takes, so that sixty of them are a matter of seconds
 */
export function makeBench(peak: number, clock: () => number, rowSeconds = 0.12): Bench {
  return {
    measure({ label, shape, flops, run, output, expected }) {
      const threads = getNumThreads()
      setNumThreads(1)
      try {
        const result = run()
        const { difference, largest } = compare(output(result), expected())
        const seconds = bestSeconds(run, clock, rowSeconds)
        const gflops = flops / seconds / 1e9
        const agrees = difference <= 1e-4 * largest + 1e-9
        const row = {
          label,
          shape,
          milliseconds: seconds * 1e3,
          gflops,
          share: gflops / peak,
          difference,
          agrees,
        }
        return { result, row }
      } finally {
        setNumThreads(threads)
      }
    },
  }
}

/** The best of a few windows, one at least. */
function bestSeconds(run: () => unknown, clock: () => number, rowSeconds: number): number {
  let calls = 1
  let best = Number.POSITIVE_INFINITY
  let spent = 0
  do {
    const start = clock()
    for (let call = 0; call < calls; call++) run()
    const elapsed = Math.max(clock() - start, 1e-6)
    spent += elapsed
    best = Math.min(best, elapsed / calls)
    if (elapsed < windowSeconds)
      calls = Math.ceil(calls * Math.min(64, (1.2 * windowSeconds) / elapsed))
  } while (spent < rowSeconds)
  return best
}

/** Over all elements; a NaN on either side is an infinite difference. */
function compare(got: Tensor, want: ArrayLike<number>): { difference: number; largest: number } {
  let difference = 0
  let largest = 0
  let index = 0
  const visit = (axis: number, at: number): void => {
    if (axis === got.shape.length) {
      const wanted = want[index++]!
      const distance = Math.abs(got.data[at]! - wanted)
      difference = Math.max(
        difference,
        Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance,
      )
      largest = Math.max(largest, Math.abs(wanted))
      return
    }
    for (let k = 0; k < got.shape[axis]!; k++) visit(axis + 1, at + k * got.strides[axis]!)
  }
  visit(0, got.offset)
  if (index !== want.length)
    throw new Error(`${index} elements were computed, ${want.length} expected`)
  return { difference, largest }
}
