import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../io/writeSafetensors.ts'
import { readCase } from './caseFile.ts'
import { caseName, type FileFailure, findCaseFiles } from './caseFiles.ts'
import { interrupted } from './interrupt.ts'
import { parseOptions, UsageError } from './options.ts'
import { errorLine, printLine } from './output.ts'
import { startProgress } from './progress.ts'

const usage = `Usage: fovea run FILE... --out DIR

Runs each case or request file and writes DIR/NAME.safetensors with every output that the operation has
under the file's parameters. A directory stands for all .safetensors files in it, at any depth.

  --out DIR  where the outputs go; made where it does not exist

Exit 0 when all were written, 1 when some failed (a line on stderr for each), 2 when two inputs have the
same NAME or an output would replace an input.`

/** Nothing runs where one output would replace another, or an input. */
function checkNames(files: readonly string[], directory: string): void {
  const byName = new Map<string, string>()
  for (const file of files) {
    const other = byName.get(caseName(file))
    if (other !== undefined) throw new UsageError(`${other} and ${file} have the same name`, usage)
    byName.set(caseName(file), file)
  }
  const inputs = new Set(files.filter(file => existsSync(file)).map(file => realpathSync(file)))
  for (const file of files) {
    const target = outputPath(directory, file)
    if (existsSync(target) && inputs.has(realpathSync(target))) {
      throw new UsageError(`the output of ${file} would replace the input ${target}`, usage)
    }
  }
}

function outputPath(directory: string, file: string): string {
  return join(directory, `${caseName(file)}.safetensors`)
}

export async function run(args: string[]): Promise<number> {
  const parsed = parseOptions(args, usage, { out: { type: 'string' } })
  if (parsed === undefined) return 0
  const directory = parsed.values.out
  if (parsed.positionals.length === 0) throw new UsageError('run needs a file', usage)
  if (!directory) throw new UsageError('run needs --out DIR', usage)
  const { runCase } = await import('./runCase.ts')
  const found = findCaseFiles(parsed.positionals)
  checkNames(found.files, directory)
  mkdirSync(directory, { recursive: true })
  const failures: FileFailure[] = [...found.failures]
  const progress = startProgress(found.files.length)
  try {
    for (const file of found.files) {
      interrupted.throwIfAborted()
      try {
        const c = await readCase(file)
        writeSafetensors(outputPath(directory, file), await runCase(c))
      } catch (error) {
        interrupted.throwIfAborted()
        failures.push({ file, message: (error as Error).message })
      }
      progress.step(caseName(file))
    }
  } finally {
    progress.stop()
  }
  for (const { file, message } of failures) errorLine(`${file}: ${message}`)
  const written = found.files.length + found.failures.length - failures.length
  printLine(`${written} written to ${directory}`)
  return failures.length === 0 ? 0 : 1
}
