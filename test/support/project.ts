// The project's own files, for the tests that hold its laws.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const made = new Set(
  '.git node_modules .venv build .cmake dist prebuilds fovea-demo golden __snapshots__'.split(' '),
)

/** Paths, relative to the root, of the files under a folder that are written by hand. */
export function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return made.has(entry.name) ? [] : filesUnder(path)
      return entry.isFile() ? [path] : []
    })
    .map(path => relative('.', path))
    .filter(path => path !== 'docs/api')
    .sort()
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The operations that lib/index.ts makes public, in its order. */
export const exportedOperations: readonly string[] = [
  ...read('lib/index.ts').matchAll(/^export \* from '\.\/ops\/(\w+)\.ts'$/gm),
].map(([, name]) => name!)
