import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { native } from '../../core/addon.ts'
import type { Pause } from './bestTimes.ts'
import { findOperation } from './calls.ts'
import { larger, measurePeak, type Peak } from './peak.ts'
import { findPeers } from './peers.ts'
import type { BenchResult, Row } from './result.ts'
import { type RowTime, timeRow } from './row.ts'
import type { Workload } from './workload.ts'

export interface PlannedRow {
  readonly op: string
  readonly workload: Workload
  /** The row that it is compared with. */
  readonly base: Workload | undefined
  readonly threads: number
}

const folder = new URL('./workloads/', import.meta.url)

/** The workloads of each operation that has a file there, by its name. */
export async function readWorkloads(): Promise<Map<string, readonly Workload[]>> {
  const files = readdirSync(folder).filter(name => /^\w+\.(js|ts)$/.test(name))
  const all = await Promise.all(
    files.toSorted().map(async name => {
      const { workloads } = await import(new URL(name, folder).href)
      return [name.replace(/\.\w+$/, ''), workloads as readonly Workload[]] as const
    }),
  )
  return new Map(all)
}

/** The rows of the operations named, or of all; without those that need more threads than there are. */
export async function planRows(names: readonly string[], threads: number): Promise<PlannedRow[]> {
  const workloads = await readWorkloads()
  const chosen = names.length === 0 ? [...workloads.keys()] : names
  return chosen
    .filter(op => findOperation(op) !== undefined)
    .flatMap(op => {
      const rows = workloads.get(op) ?? []
      return rows.map(workload => ({
        op,
        workload,
        base: rows.find(({ name }) => name === workload.against),
        threads,
      }))
    })
    .filter(({ workload }) => (workload.threads ?? 1) <= native.info().threads)
}

/** Measures the peak, the rows, and the peak again: the larger one counts, for all of them. */
export async function measure(
  planned: readonly PlannedRow[],
  pause: Pause,
  done: (name: string) => void,
): Promise<BenchResult> {
  const threadsOf = ({ workload, threads }: PlannedRow) => workload.threads ?? threads
  const counts = [...new Set(planned.map(threadsOf))].toSorted((a, b) => a - b)
  const before = await measurePeaks(counts, pause)
  const times: RowTime[] = []
  const peers = await findPeers()
  try {
    for (const { op, workload, base, threads } of planned) {
      times.push(await timeRow(findOperation(op)!, workload, base, threads, peers, pause))
      done(`${op} ${workload.name}`)
    }
  } finally {
    for (const peer of peers) peer.close()
  }
  const after = await measurePeaks(counts, pause)
  const peaks = new Map(counts.map((count, i) => [count, larger(before[i]!, after[i]!)]))
  return {
    machine: { ...native.info(), cpu: cpus()[0]?.model ?? 'unknown', node: process.version },
    peaks: [...peaks.values()],
    rows: planned.map((row, i) => finish(row, times[i]!, threadsOf(row), peaks)),
  }
}

async function measurePeaks(counts: readonly number[], pause: Pause): Promise<Peak[]> {
  const peaks: Peak[] = []
  for (const count of counts) peaks.push(await measurePeak(count, pause))
  return peaks
}

/** Sets a row beside the peak of its threads. */
function finish(
  { op, workload }: PlannedRow,
  time: RowTime,
  threads: number,
  peaks: ReadonlyMap<number, Peak>,
): Row {
  const { name, limit, work, goal = null, against = null, atMost = null } = workload
  const peak = peaks.get(threads)![limit]
  const rate = work / time.milliseconds / 1e6
  return {
    op,
    name,
    threads,
    limit,
    work,
    ...time,
    rate,
    peak,
    share: rate / peak,
    goal,
    against,
    atMost,
    withinMicroseconds: workload.withinMicroseconds ?? null,
  }
}
