import { compare, compareUsage } from './bench/compare.ts'
import type { BenchResult, Row } from './bench/result.ts'
import { pause } from './interrupt.ts'
import { meant, parseOptions, UsageError } from './options.ts'
import { type Column, paint, printJson, printLine, printTable, right } from './output.ts'
import { startProgress } from './progress.ts'

const usage = `Usage: fovea bench [NAME...] [--threads N] [--json]
       ${compareUsage}

Times the operations NAME, or all, on fixed workloads, and sets each beside what this machine can do:
its multiply-add peak, read and copy bandwidth, measured in the same run. Time is the process's CPU time
with one thread, wall time with more. Peers whose libraries are installed take turns with fovea.

  --threads N          threads of a call (default 1)
  --json               figures as JSON
  --threshold PERCENT  how much slower than in A a row of B may be (default 10); exit 1 past it`

export async function bench(args: string[]): Promise<number> {
  if (args[0] === 'compare') return compare(args.slice(1), usage)
  const parsed = parseOptions(args, usage, {
    threads: { type: 'string' },
    json: { type: 'boolean' },
  })
  if (parsed === undefined) return 0
  const { json, threads: threadsText = '1' } = parsed.values
  const threads = Number(threadsText)
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`--threads must be a whole number >= 1; got ${threadsText}`, usage)
  }
  const { operationNames } = await import('./bench/calls.ts')
  const { measure, planRows } = await import('./bench/measure.ts')
  for (const name of parsed.positionals) {
    if (!operationNames().includes(name)) {
      throw new UsageError(`no operation is called ${name}${meant(name, operationNames())}`, usage)
    }
  }
  const rows = await planRows(parsed.positionals, threads)
  const progress = startProgress(rows.length, 'peak')
  let result: BenchResult
  try {
    result = await measure(rows, pause, name => progress.step(name))
  } finally {
    progress.stop()
  }
  if (json) printJson(result)
  else print(result)
  return 0
}

function print({ machine, peaks, rows }: BenchResult): void {
  const { version, isa, compiler, cpu, node } = machine
  printLine(`fovea ${version}, ${isa}, ${compiler}, ${cpu}, Node ${node}`)
  for (const { threads, fmaBy, read, copy } of peaks) {
    const fma = Object.entries(fmaBy).map(([set, rate]) => `${set} ${rate.toFixed(1)}`)
    const bandwidth = `read ${read.toFixed(1)}, copy ${copy.toFixed(1)} GB/s`
    printLine(`Peak, ${countText(threads)}: ${fma.join(', ')} GFLOP/s; ${bandwidth}`)
  }
  printRows(rows)
}

function countText(threads: number): string {
  return `${threads} thread${threads === 1 ? '' : 's'}`
}

function timeText(milliseconds: number): string {
  return milliseconds < 1
    ? `${(milliseconds * 1e3).toPrecision(3)} µs`
    : `${milliseconds.toPrecision(4)} ms`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`
}

/** A goal, with a mark where the row does not reach it. */
function goalText(text: string, met: boolean): string {
  return met ? text : paint(process.stdout, 'yellow', `${text} missed`)
}

function printRows(rows: readonly Row[]): void {
  for (const op of new Set(rows.map(row => row.op))) {
    printLine(`\n${paint(process.stdout, 'bold', op)}`)
    printOperation(rows.filter(row => row.op === op))
  }
}

function printOperation(rows: readonly Row[]): void {
  const peers = [...new Set(rows.flatMap(row => row.peers.map(({ peer }) => peer)))]
  const columns: Column[] = [
    { title: 'workload' },
    { title: 'time', ...right },
    { title: 'rate', ...right },
    { title: 'share', ...right },
    { title: 'compared' },
    ...peers.map(peer => ({ title: peer, ...right })),
    { title: 'goals' },
  ]
  printTable(
    columns,
    rows.map(row => [
      row.name,
      timeText(row.milliseconds),
      `${row.rate.toFixed(1)} ${row.limit === 'fma' ? 'GFLOP/s' : 'GB/s'}`,
      `${percent(row.share)} of ${row.limit}`,
      row.ratio === null ? '' : `${row.ratio.toFixed(2)}x of ${row.against}`,
      ...peers.map(peer => peerText(row, peer)),
      goalsText(row),
    ]),
  )
}

function goalsText(row: Row): string {
  const { goal, atMost, withinMicroseconds: within } = row
  const goals: string[] = []
  if (goal !== null) goals.push(goalText(percent(goal), row.share >= goal))
  if (atMost !== null) goals.push(goalText(`${atMost.toFixed(2)}x`, (row.ratio ?? 0) <= atMost))
  if (within !== null) goals.push(goalText(`${within} µs`, row.milliseconds * 1e3 <= within))
  return goals.join(', ')
}

function peerText(row: Row, peer: string): string {
  const time = row.peers.find(candidate => candidate.peer === peer)
  if (time === undefined) return ''
  if (time.milliseconds === null) return time.reason ?? ''
  return `${timeText(time.milliseconds)} (${(time.milliseconds / row.milliseconds).toFixed(2)}x)`
}
