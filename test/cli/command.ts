import { spawn } from 'node:child_process'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The built command, as a process with pipes: `npm test` builds it first. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs `fovea` with the arguments, to its end. */
export async function fovea(...args: string[]): Promise<Ended> {
  return await ended(start(args))
}

export async function ended(child: ReturnType<typeof start>): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { code, stdout, stderr }
}

/** Starts `fovea` and presses Ctrl-C while it works. */
export async function interrupted(...args: string[]): Promise<Ended> {
  // Too early, while Node itself starts, the signal ends the process before anyone listens.
  for (const delay of [500, 1000, 2000, 4000, 8000]) {
    const child = start(args)
    setTimeout(() => child.kill('SIGINT'), delay)
    const end = await ended(child)
    if (end.code !== null) return end
  }
  throw new Error('it was never ready')
}
