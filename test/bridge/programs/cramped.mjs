// Calls with the most threads there can be, in as much address space as their stacks alone would fill. The
// argument is what there is beyond what the process has anyway, in MiB.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setNumThreads } from '../../../dist/index.js'
import { job, runLater, runNow, say } from './job.mjs'

const [more, isCramped] = process.argv.slice(2)
if (isCramped === undefined) {
  const status = readFileSync('/proc/self/status', 'utf8')
  const limit = Number(/VmSize:\s+(\d+)/.exec(status)[1]) + 1024 * Number(more)
  const path = fileURLToPath(import.meta.url)
  const command = `ulimit -v ${limit}; exec "$0" "$1" ${more} cramped`
  const { status: code } = spawnSync('sh', ['-c', command, process.execPath, path], {
    stdio: 'inherit',
  })
  process.exitCode = code ?? 1
} else {
  const args = await job(5)
  setNumThreads(256)
  const codes = []
  for (const call of [runNow, runNow, runLater]) {
    try {
      await call(args)
    } catch (error) {
      codes.push(error.code)
    }
  }
  say(codes)
}
