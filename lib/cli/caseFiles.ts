import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

const extension = '.safetensors'

/** Something that went wrong with one file of many. */
export interface FileFailure {
  readonly file: string
  readonly message: string
}

export interface CaseFiles {
  readonly files: readonly string[]
  readonly failures: readonly FileFailure[]
}

/** NAME: what a case is called, and its output file after it. */
export function caseName(path: string): string {
  return basename(path, extension)
}

/** The case files that arguments stand for: a directory for all in it, at any depth, in order. */
export function findCaseFiles(paths: readonly string[]): CaseFiles {
  const files: string[] = []
  const failures: FileFailure[] = []
  for (const path of paths) {
    try {
      if (!statSync(path).isDirectory()) {
        files.push(path)
        continue
      }
      const found = filesWithin(path)
      files.push(...found)
      if (found.length === 0) failures.push({ file: path, message: `holds no ${extension} file` })
    } catch (error) {
      failures.push({ file: path, message: (error as Error).message.replace(/,.*$/s, '') })
    }
  }
  return { files, failures }
}

function filesWithin(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(extension))
    .map(name => join(directory, name))
    .filter(path => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .toSorted()
}
