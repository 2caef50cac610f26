// Libraries of Python, each in a process of its own (python/serve.py), where `npm run bench:peers` has
// installed them.
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeSafetensors } from '../../dist/index.js'

const python = fileURLToPath(new URL('../.venv/bin/python', import.meta.url))
const serve = fileURLToPath(new URL('python/serve.py', import.meta.url))

/** An engine with its number of threads, started when it is first asked. */
class Server {
  constructor(engine, threads) {
    this.child = spawn(python, [serve, engine, threads], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.child.stdin.on('error', () => {}) // it has ended: so have its replies
    this.replies = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }

  async ask(request) {
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value: line, done } = await this.replies.next()
    if (done) throw new Error('its process ended')
    const { value, error } = JSON.parse(line)
    if (error !== undefined) throw new Error(error)
    return value
  }

  close() {
    this.child.stdin.end()
  }
}

class PythonPeer {
  #servers = new Map()
  #folder = mkdtempSync(join(tmpdir(), 'fovea-peer-'))

  constructor(name, version) {
    this.name = name
    this.version = version
  }

  #server(threads) {
    if (!this.#servers.has(threads)) this.#servers.set(threads, new Server(this.name, threads))
    return this.#servers.get(threads)
  }

  async prepare(op, { tensors, weights = {}, params = {} }, threads) {
    const server = this.#server(threads)
    const [inputs, output] = ['inputs', 'output'].map(name => join(this.#folder, name))
    const named = Object.entries(weights).map(([name, weight]) => [`weights.${name}`, weight])
    writeSafetensors(inputs, { ...tensors, ...Object.fromEntries(named) })
    if (!(await server.ask({ do: 'prepare', op, file: inputs, params }))) return undefined
    return {
      run: times => server.ask({ do: 'time', times }),
      async output() {
        await server.ask({ do: 'output', file: output })
        const { buffer, byteOffset, byteLength } = readFileSync(output)
        return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))
      },
    }
  }

  close() {
    for (const server of this.#servers.values()) server.close()
    rmSync(this.#folder, { recursive: true })
  }
}

export async function open() {
  if (!existsSync(python)) return []
  const { stdout } = await promisify(execFile)(python, [serve])
  const versions = Object.entries(JSON.parse(stdout))
  return versions.map(([name, version]) => new PythonPeer(name, version))
}
