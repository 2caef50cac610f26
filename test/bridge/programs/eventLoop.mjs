// While a job of a second runs: the longest gap between timers, and how long libuv's pool takes for work
// that it usually does at once.
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
let files = 0
for (let last = performance.now(); !finished; ) {
  await sleep(1)
  gaps.push(performance.now() - last)
  last = performance.now()
  if (gaps.length % 20 === 10) {
    await Promise.all(Array.from({ length: 4 }, () => readFile(new URL(import.meta.url))))
    files = Math.max(files, performance.now() - last)
    last = performance.now()
  }
}
await done
gaps.sort((a, b) => a - b)
const job_ = performance.now() - start
say({ job: job_, files, gap: gaps.at(-1), typicalGap: gaps[gaps.length >> 1], ticks: gaps.length })
