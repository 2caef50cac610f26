import { readFileSync } from 'node:fs'
import { parseOptions, UsageError } from '../options.ts'
import { paint, printJson, printLine, printTable, right } from '../output.ts'
import type { BenchResult, Row } from './result.ts'

export const compareUsage = 'fovea bench compare A B [--threshold PERCENT] [--json]'

function readResult(path: string, usage: string): BenchResult {
  let result: unknown
  try {
    result = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`, usage)
  }
  const rows = (result as BenchResult | null)?.rows
  if (!Array.isArray(rows) || !rows.every(isRow)) {
    throw new UsageError(`${path} is not what fovea bench --json prints`, usage)
  }
  return result as BenchResult
}

function isRow(row: Partial<Row> | null): boolean {
  return (
    typeof row?.op === 'string' &&
    typeof row.name === 'string' &&
    typeof row.milliseconds === 'number' &&
    row.milliseconds > 0
  )
}

function keyOf({ op, name, threads }: Row): string {
  return JSON.stringify([op, name, threads])
}

/** Compares two results of `fovea bench --json` row by row: B against A. */
export function compare(args: string[], usage: string): number {
  const parsed = parseOptions(args, usage, {
    threshold: { type: 'string' },
    json: { type: 'boolean' },
  })
  if (parsed === undefined) return 0
  const { threshold: text = '10', json } = parsed.values
  const threshold = text.trim() === '' ? Number.NaN : Number(text)
  if (!(threshold >= 0)) {
    throw new UsageError(`--threshold must be a percentage >= 0; got ${text}`, usage)
  }
  const [a, b, ...more] = parsed.positionals
  if (a === undefined || b === undefined || more.length > 0) {
    throw new UsageError('bench compare needs two files', usage)
  }
  const [before, after] = [readResult(a, usage), readResult(b, usage)]
  const old = new Map(before.rows.map(row => [keyOf(row), row]))
  const rows = after.rows.flatMap(row => {
    const other = old.get(keyOf(row))
    if (other === undefined) return []
    const change = (row.milliseconds / other.milliseconds - 1) * 100
    const { op, name, threads } = row
    return [{ op, name, threads, a: other, b: row, change, slower: change > threshold }]
  })
  if (rows.length === 0) throw new UsageError(`${a} and ${b} have no row in common`, usage)
  const missing = before.rows.length - rows.length
  const slower = rows.filter(row => row.slower).length
  if (json) {
    const figures = rows.map(({ a: from, b: to, ...row }) => ({
      ...row,
      milliseconds: [from.milliseconds, to.milliseconds],
      share: [from.share, to.share],
    }))
    printJson({ threshold, slower, missing, rows: figures })
  } else {
    printComparison(rows)
    if (missing > 0) printLine(`\n${missing} row${missing === 1 ? '' : 's'} of ${a} not in ${b}`)
    const verdict = slower === 0 ? 'No row is' : `${slower} of ${rows.length} rows are`
    printLine(`\n${verdict} more than ${threshold} % slower.`)
  }
  return slower === 0 ? 0 : 1
}

interface Compared {
  readonly op: string
  readonly name: string
  readonly threads: number
  readonly a: Row
  readonly b: Row
  readonly change: number
  readonly slower: boolean
}

function printComparison(rows: readonly Compared[]): void {
  const share = (row: Row) =>
    typeof row.share === 'number' ? `${(row.share * 100).toFixed(0)} %` : ''
  printTable(
    [
      { title: 'operation' },
      { title: 'workload' },
      { title: 'A ms', ...right },
      { title: 'B ms', ...right },
      { title: 'time', ...right },
      { title: 'A share', ...right },
      { title: 'B share', ...right },
      { title: '' },
    ],
    rows.map(({ op, name, a, b, change, slower }) => [
      op,
      name,
      a.milliseconds.toPrecision(4),
      b.milliseconds.toPrecision(4),
      `${change >= 0 ? '+' : ''}${change.toFixed(1)} %`,
      share(a),
      share(b),
      slower ? paint(process.stdout, 'red', 'slower') : '',
    ]),
  )
}
