import { native, opIndex } from '../../core/addon.ts'
import type { Pause } from './bestTimes.ts'
import { type Clock, clockFor } from './clock.ts'
import type { Limit } from './workload.ts'

/** What the machine does at most with some number of threads: GFLOP/s, and GB/s. */
export interface Peak {
  readonly threads: number
  /** By instruction set, those that the current one can do too. */
  readonly fmaBy: Readonly<Record<string, number>>
  readonly fma: number
  /** Of far memory, read in sixteen places at once, which is faster than from end to end. */
  readonly read: number
  /** Bytes read and bytes written, of a copy. */
  readonly copy: number
}

/** Far beyond any cache. */
const bytes = 256 * 2 ** 20

/** About 20 ms of multiply-adds with wide vectors. */
const steps = 10_000_000

/** How long each kind is measured: the largest rate counts. */
const seconds = 0.4

const kinds: readonly Limit[] = ['fma', 'read', 'copy']

/** Far memory, touched before it is measured. */
function floats(): Float32Array {
  return new Float32Array(Buffer.allocUnsafeSlow(bytes).buffer).fill(1)
}

interface Memory {
  readonly source: Float32Array
  readonly destination: Float32Array
}

/** One call of native/bench/machinePeak.cc, and the work it does. */
function measurement(kind: Limit, threads: number, memory: Memory): { run(): void; work: number } {
  const op = opIndex('machinePeak')
  const sink = new Float32Array(threads)
  const slot = (length: number) => [1, 1, 0, length, 1] // float32, rank 1, offset 0
  const arrays = kind === 'fma' ? [sink] : [memory.source, memory.destination, sink]
  const slots =
    kind === 'fma'
      ? [0, 0, 0, 0, 0, 0, ...slot(threads)]
      : arrays.flatMap(({ length }) => slot(length))
  const meta = Float64Array.of(threads, 2, 3, 0, kinds.indexOf(kind), steps, ...slots)
  const work =
    kind === 'fma' ? native.flops(op, meta, ...arrays) : kind === 'read' ? bytes : 2 * bytes
  return { run: () => native.run(op, meta, ...arrays), work }
}

async function bestRate(
  clock: Clock,
  { run, work }: ReturnType<typeof measurement>,
  pause: Pause,
): Promise<number> {
  let best = 0
  for (let total = 0; total < seconds; ) {
    const start = clock()
    run()
    const time = clock() - start
    best = Math.max(best, work / time / 1e9)
    total += Math.max(time, 1e-3)
    await pause()
  }
  return best
}

/**
 * GFLOP/s of multiply-adds with the current instruction set, and with the lesser ones: where a narrower
 * vector happens to be faster, the machine can do that too.
 */
export async function measureFma(
  threads: number,
  pause: Pause,
): Promise<Readonly<Record<string, number>>> {
  const { isa: current, isas } = native.info()
  const clock = clockFor(threads)
  const none = { source: new Float32Array(), destination: new Float32Array() }
  const fmaBy: Record<string, number> = {}
  try {
    for (const isa of isas.slice(isas.indexOf(current))) {
      native.selectIsa(isa)
      fmaBy[isa] = await bestRate(clock, measurement('fma', threads, none), pause)
    }
  } finally {
    native.selectIsa(current)
  }
  return fmaBy
}

/** Measures the multiply-adds of every instruction set, and the memory with the current one. */
export async function measurePeak(threads: number, pause: Pause): Promise<Peak> {
  const fmaBy = await measureFma(threads, pause)
  const clock = clockFor(threads)
  const memory = { source: floats(), destination: floats() }
  const rate = (kind: Limit) => bestRate(clock, measurement(kind, threads, memory), pause)
  const fma = Math.max(...Object.values(fmaBy))
  return { threads, fmaBy, fma, read: await rate('read'), copy: await rate('copy') }
}

/** The larger of two measurements, kind by kind. */
export function larger(a: Peak, b: Peak): Peak {
  const fmaBy = Object.fromEntries(
    Object.entries(a.fmaBy).map(([isa, rate]) => [isa, Math.max(rate, b.fmaBy[isa] ?? 0)]),
  )
  return {
    threads: a.threads,
    fmaBy,
    fma: Math.max(a.fma, b.fma),
    read: Math.max(a.read, b.read),
    copy: Math.max(a.copy, b.copy),
  }
}
