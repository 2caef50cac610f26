import type { Clock } from './clock.ts'

/** The shortest window worth a reading of the clock. */
const windowSeconds = 0.02

/** How long the windows of one row take together. */
const rowSeconds = 0.6

/** Something to be timed. */
export interface Contender {
  /** Makes the call that many times. What computes in another process resolves to its own seconds. */
  readonly run: (times: number) => unknown
}

/** The event loop turns between windows, so that Ctrl-C is heard. */
export type Pause = () => Promise<void>

interface Pace {
  readonly contender: Contender
  times: number
  best: number
  total: number
}

async function window(clock: Clock, pace: Pace): Promise<number> {
  const start = clock()
  const own = await pace.contender.run(pace.times)
  return typeof own === 'number' ? own : clock() - start
}

/** Warms up, and finds how many calls fill a window. */
async function warmUp(clock: Clock, pace: Pace): Promise<void> {
  for (;;) {
    const seconds = await window(clock, pace)
    if (seconds >= windowSeconds) return
    const fill = (1.2 * windowSeconds * pace.times) / Math.max(seconds, 1e-5)
    pace.times = Math.ceil(Math.min(Math.max(fill, 2 * pace.times), 64 * pace.times))
  }
}

/**
 * Seconds of a call of each contender: the best of windows of at least 20 ms for 0.6 s each, the
 * contenders taking turns so that a slow moment of the machine meets all of them.
 */
export async function bestTimes(
  contenders: readonly Contender[],
  clock: Clock,
  pause: Pause,
): Promise<number[]> {
  const paces = contenders.map(contender => ({
    contender,
    times: 1,
    best: Number.POSITIVE_INFINITY,
    total: 0,
  }))
  for (const pace of paces) await warmUp(clock, pace)
  while (paces.some(({ total }) => total < rowSeconds)) {
    for (const pace of paces) {
      const seconds = await window(clock, pace)
      pace.best = Math.min(pace.best, seconds / pace.times)
      pace.total += Math.max(seconds, windowSeconds / 4)
      await pause()
    }
  }
  return paces.map(({ best }) => best)
}
