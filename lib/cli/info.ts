import { parseOptions, UsageError } from './options.ts'
import { paint, printJson, printLine } from './output.ts'

const usage = `Usage: fovea info [--json]

The version, the instruction sets of this machine, the threads a call may use, and whether all of that
suits.`

/** What a user of this machine should know about it. */
function remarks({
  isa,
  isas,
  threads,
  threadsFrom,
}: ReturnType<typeof import('../index.ts').info>) {
  const found: string[] = []
  if (isa === 'scalar') {
    found.push('No vector instructions are used: results are right, and many times slower.')
  } else if (isa !== isas[0]) {
    found.push(`${isas[0]} is the best that this machine has; FOVEA_ISA asks for ${isa}.`)
  }
  if (isa === 'avx2') found.push('Without AVX-512 the peak is that of 256-bit vectors.')
  if (threads === 1)
    found.push(`One thread alone (from ${threadsFrom}): large calls cannot spread.`)
  return found
}

export async function info(args: string[]): Promise<number> {
  const parsed = parseOptions(args, usage, { json: { type: 'boolean' } })
  if (parsed === undefined) return 0
  if (parsed.positionals.length > 0) {
    throw new UsageError(`info takes no argument; got ${parsed.positionals[0]}`, usage)
  }
  const all = (await import('../index.ts')).info()
  const suits = all.isa !== 'scalar'
  const notes = remarks(all)
  if (parsed.values.json) {
    printJson({ ...all, node: process.version, platform: process.platform, suits, notes })
    return 0
  }
  const width = Math.max(...Object.keys(all).map(name => name.length))
  for (const [name, value] of Object.entries(all)) {
    printLine(`${name.padEnd(width)}  ${Array.isArray(value) ? value.join(', ') : value}`)
  }
  printLine(`${'node'.padEnd(width)}  ${process.version} ${process.platform}-${process.arch}`)
  const verdict = suits
    ? paint(process.stdout, 'green', 'This machine suits fovea.')
    : paint(process.stdout, 'yellow', 'This machine runs fovea slowly.')
  printLine(`\n${[verdict, ...notes].join('\n')}`)
  return 0
}
