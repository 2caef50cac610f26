// While a job of a second runs: the gaps between timers, and how long libuv's pool takes for work that it
// usually does at once. Medians, because a busy machine interrupts everybody now and then; a loop or a
// pool that is blocked makes no second round at all.
import { readFile } from 'node:fs/promises'
import { job, runLater, say, sleep, startLibuv } from './job.mjs'

await startLibuv()
const args = await job(1000)
const start = performance.now()
let finished = false
const done = runLater(args).then(() => {
  finished = true
})
const gaps = []
const files = []
for (let last = performance.now(); !finished; ) {
  await sleep(1)
  gaps.push(performance.now() - last)
  last = performance.now()
  if (gaps.length % 20 === 10) {
    await Promise.all(Array.from({ length: 4 }, () => readFile(new URL(import.meta.url))))
    files.push(performance.now() - last)
    last = performance.now()
  }
}
await done
const median = values => values.sort((a, b) => a - b)[values.length >> 1]
say({
  took: performance.now() - start,
  gap: median(gaps),
  files: median(files),
  rounds: gaps.length,
  reads: files.length,
})
