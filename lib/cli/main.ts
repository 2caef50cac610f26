#!/usr/bin/env node
import { interrupted, onInterrupt } from './interrupt.ts'
import { meant, UsageError } from './options.ts'
import { errorLine } from './output.ts'

interface Command {
  readonly summary: string
  /** Loaded when it is called: help needs no engine, and a command not the others. */
  readonly load: () => Promise<(args: string[]) => Promise<number>>
}

const commands: Readonly<Record<string, Command>> = {
  run: {
    summary: 'run case or request files and write their outputs',
    load: async () => (await import('./run.ts')).run,
  },
  verify: {
    summary: 'run case files and compare with what they expect',
    load: async () => (await import('./verify.ts')).verify,
  },
  ops: {
    summary: 'list the operations, or one in full',
    load: async () => (await import('./ops.ts')).ops,
  },
  info: {
    summary: 'version, instruction set, threads, and whether this machine suits',
    load: async () => (await import('./info.ts')).info,
  },
  bench: {
    summary: 'time operations against what the machine can do',
    load: async () => (await import('./bench.ts')).bench,
  },
  demo: {
    summary: 'show every operation on a photograph',
    load: async () => (await import('./demo.ts')).demo,
  },
}

const usage = `Usage: fovea <command> [arguments]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`)
  .join('\n')}

fovea <command> --help tells more.`

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const stream = name === undefined ? process.stderr : process.stdout
    stream.write(`${usage}\n`)
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    const { info } = await import('../index.ts')
    process.stdout.write(`${info().version}\n`)
    return 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const hint = meant(name, Object.keys(commands))
    throw new UsageError(`no command is called ${name}${hint}`, usage)
  }
  const run = await command.load()
  return await run(args)
}

/** The exit code of what went wrong, told on stderr. */
function report(error: unknown): number {
  if (interrupted.aborted) return 130
  if (error instanceof UsageError) {
    errorLine(error.message)
    process.stderr.write(`\n${error.usage}\n`)
    return 2
  }
  // A wrong argument or a missing binary explains itself; anything else is a bug and shows its stack.
  const ours = error instanceof Error && ('operation' in error || 'syscall' in error)
  errorLine(
    error instanceof Error ? ((ours ? undefined : error.stack) ?? error.message) : String(error),
  )
  return 1
}

// Whoever reads the output has seen enough (`fovea ops | head`).
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}
onInterrupt(() => process.exit(130))
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = report(error)
}
