import type { Output } from '../core/tensors/tensor.ts'
import type { FileTensor } from '../io/readSafetensors.ts'
import { type Case, readCase } from './caseFile.ts'
import { findCaseFiles } from './caseFiles.ts'
import { interrupted } from './interrupt.ts'
import { parseOptions, UsageError } from './options.ts'
import { paint, printJson, printLine, printTable, right } from './output.ts'
import { startProgress } from './progress.ts'
import { compareElements } from './tolerance.ts'

const usage = `Usage: fovea verify FILE... [--json]

Runs each case file and compares what comes out with its expected.* tensors. A directory stands for all
.safetensors files in it, at any depth.

  --json  { ops: [{ op, cases, passed, worst }], failures: [{ file, output, index, got, want, ratio }] },
          infinities and NaN as strings

An element passes when |got - want| <= atol + rtol |want|; worst is the largest error over tolerance.
Exit 0 when all cases passed, 1 when some failed.`

/** One wrong output; the file alone where nothing could be compared, with the reason as its message. */
interface Failure {
  readonly file: string
  readonly output: string | null
  readonly index: number | null
  readonly got: number | null
  readonly want: number | null
  readonly ratio: number | null
  readonly message: string
}

interface Tally {
  readonly op: string
  cases: number
  passed: number
  /** Largest error over tolerance; null while nothing has been compared. */
  worst: number | null
}

function unrun(file: string, output: string | null, message: string): Failure {
  return { file, output, index: null, got: null, want: null, ratio: null, message }
}

/** `[1, 0, 2]` of a row-major index. */
function coordinates(index: number, shape: readonly number[]): string {
  const at: number[] = []
  for (const size of shape.toReversed()) {
    at.unshift(index % size)
    index = Math.floor(index / size)
  }
  return `[${at.join(', ')}]`
}

interface Verdict {
  readonly worst: number | null
  readonly failures: readonly Failure[]
}

function verifyOutput(
  file: string,
  name: string,
  got: Output | undefined,
  want: FileTensor,
  c: Case,
): Verdict {
  if (got === undefined) {
    const message = `${c.op} has no output ${name} under these parameters`
    return { worst: null, failures: [unrun(file, name, message)] }
  }
  const shapes = [got.shape, want.shape].map(shape => `[${shape.join(', ')}]`)
  if (shapes[0] !== shapes[1]) {
    return {
      worst: null,
      failures: [unrun(file, name, `${name} has shape ${shapes[0]}, expected ${shapes[1]}`)],
    }
  }
  const { passed, ratio, ...worst } = compareElements(got.data, want, c.tolerance(name))
  if (passed) return { worst: ratio, failures: [] }
  const where = coordinates(worst.index, want.shape)
  const message = `${name}${where} is ${worst.got}, expected ${worst.want}: ${formatRatio(ratio)} times the tolerance`
  return { worst: ratio, failures: [{ file, output: name, ratio, message, ...worst }] }
}

type Outputs = Readonly<Record<string, Output>>

async function verifyCase(
  file: string,
  c: Case,
  runCase: (c: Case) => Promise<Outputs>,
): Promise<Verdict> {
  const names = Object.keys(c.expected)
  if (names.length === 0) {
    return { worst: null, failures: [unrun(file, null, 'holds no expected.* tensor')] }
  }
  const outputs = await runCase(c)
  const verdicts = names.map(name => {
    const got = Object.hasOwn(outputs, name) ? outputs[name] : undefined
    return verifyOutput(file, name, got, c.expected[name]!, c)
  })
  const ratios = verdicts.flatMap(({ worst }) => worst ?? [])
  return {
    worst: ratios.length === 0 ? null : Math.max(...ratios),
    failures: verdicts.flatMap(({ failures }) => failures),
  }
}

function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toPrecision(3) : '∞'
}

function report(tallies: readonly Tally[], failures: readonly Failure[]): void {
  printTable(
    [
      { title: 'op' },
      { title: 'cases', ...right },
      { title: 'passed', ...right },
      { title: 'worst error / tolerance', ...right },
    ],
    tallies.map(({ op, cases, passed, worst }) => [
      op,
      String(cases),
      String(passed),
      worst === null ? '-' : worst === 0 ? '0' : formatRatio(worst),
    ]),
  )
  if (failures.length > 0) printLine('')
  for (const { file, message } of failures) {
    printLine(`${paint(process.stdout, 'red', 'FAILED')} ${file}: ${message}`)
  }
}

export async function verify(args: string[]): Promise<number> {
  const parsed = parseOptions(args, usage, { json: { type: 'boolean' } })
  if (parsed === undefined) return 0
  if (parsed.positionals.length === 0) throw new UsageError('verify needs a file', usage)
  const { runCase } = await import('./runCase.ts')
  const found = findCaseFiles(parsed.positionals)
  const failures: Failure[] = found.failures.map(({ file, message }) => unrun(file, null, message))
  const tallies = new Map<string, Tally>()
  const progress = startProgress(found.files.length)
  try {
    for (const file of found.files) {
      interrupted.throwIfAborted()
      let tally: Tally | undefined
      try {
        const c = await readCase(file)
        tally = tallies.get(c.op) ?? { op: c.op, cases: 0, passed: 0, worst: null }
        tallies.set(c.op, tally)
        tally.cases++
        const verdict = await verifyCase(file, c, runCase)
        if (verdict.failures.length === 0) tally.passed++
        if (verdict.worst !== null) tally.worst = Math.max(tally.worst ?? 0, verdict.worst)
        failures.push(...verdict.failures)
      } catch (error) {
        interrupted.throwIfAborted()
        failures.push(unrun(file, null, (error as Error).message))
      }
      progress.step(tally?.op)
    }
  } finally {
    progress.stop()
  }
  const sorted = [...tallies.values()].toSorted((a, b) => (a.op < b.op ? -1 : 1))
  if (parsed.values.json) printJson({ ops: sorted, failures })
  else report(sorted, failures)
  return failures.length === 0 ? 0 : 1
}
