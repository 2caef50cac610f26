// The most threads this process ever has beyond those it had before its first call, with 64 promise
// calls in flight, small and large, and (argument "workers") 8 Workers calling synchronously meanwhile.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { getNumThreads, setNumThreads } from '../../../dist/index.js'
import { job, runLater, runNow, say, sleep, startLibuv, threadCount } from './job.mjs'

if (!isMainThread) {
  parentPort.on('message', async ({ args, stop }) => {
    if (stop) parentPort.close()
    for (let i = 0; args && i < 5; i++) runNow(args)
    parentPort.postMessage('done')
  })
  parentPort.postMessage('ready')
} else {
  setNumThreads(3)
  const reply = worker => new Promise(resolve => worker.once('message', resolve))
  const workers = process.argv[2] === 'workers' ? 8 : 0
  const team = Array.from({ length: workers }, () => new Worker(new URL(import.meta.url)))
  await Promise.all(team.map(reply))
  await startLibuv()
  const before = threadCount()
  let most = before
  let last = before
  // A thread that has ended stays listed for an instant: two looks in a row count.
  const watch = setInterval(() => {
    const now = threadCount()
    most = Math.max(most, Math.min(last, now))
    last = now
  }, 2)
  const [small, large] = [await job(0.1), await job(20)]
  const busy = team.map(worker => {
    worker.postMessage({ args: large })
    return reply(worker)
  })
  const calls = Array.from({ length: 64 }, (_, i) => runLater(i % 4 === 0 ? large : small))
  await Promise.all([...calls, ...busy])
  runNow(large)
  await sleep(20)
  clearInterval(watch)
  for (const worker of team) worker.postMessage({ stop: true })
  say({ added: most - before, allowed: getNumThreads() })
}
