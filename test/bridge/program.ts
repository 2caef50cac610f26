// Runs one of programs/*.mjs in a Node process of its own, on the built package: counts of threads, CPU
// time, exits and crashes mean something only there.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended<T> {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What the program printed, as JSON; undefined where it printed nothing. */
  readonly said: T
  readonly stderr: string
}

export function runProgram<T>(
  name: string,
  { env = {}, args = [] }: { env?: NodeJS.ProcessEnv; args?: readonly string[] } = {},
): Promise<Ended<T>> {
  const path = fileURLToPath(new URL(`./programs/${name}.mjs`, import.meta.url))
  // The variables that steer the engine are the test's to set.
  const inherited = { ...process.env }
  for (const variable of Object.keys(inherited)) {
    if (/^(FOVEA|OMP|GOMP|VITEST|NODE_OPTIONS)/.test(variable)) delete inherited[variable]
  }
  const child = spawn(process.execPath, [path, ...args], { env: { ...inherited, ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const said = (stdout.trim() === '' ? undefined : JSON.parse(stdout)) as T
      resolve({ code, signal, said, stderr })
    })
  })
}
