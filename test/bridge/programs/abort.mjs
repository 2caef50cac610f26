// How soon a running and a queued call settle after an abort, and what the next call gives.
import { scaledDotProductAttention, tensor } from '../../../dist/index.js'
import { job, runLater, say, sleep } from './job.mjs'

async function settles(promise, since) {
  try {
    await promise
    return { fulfilled: true }
  } catch (reason) {
    return { after: performance.now() - since(), reason: String(reason?.message ?? reason) }
  }
}

const running = new AbortController()
const queued = new AbortController()
const reports = []
const args = await job(4000, { signal: running.signal, onProgress: report => reports.push(report) })
const next = await job(4000, { signal: queued.signal })
let at = 0
const first = settles(runLater(args), () => at)
const second = settles(runLater(next), () => at)
await sleep(300)
at = performance.now()
queued.abort(new Error('no longer wanted'))
const secondSettled = await second
at = performance.now()
running.abort()
const firstSettled = await first
const early = await settles(
  runLater(await job(1, { signal: AbortSignal.abort('too late') })),
  () => 0,
)

const x = tensor(
  Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
  [1, 1, 8, 8],
)
const { out } = scaledDotProductAttention(x, x, x)
const again = await runLater([x, x, x, {}])
say({
  running: firstSettled,
  queued: secondSettled,
  early: early.reason,
  same: out.data.every((value, i) => value === again.out.data[i]),
  reports: reports.length,
  grows: reports.every(
    ({ done, total }, i) => done <= total && done >= (reports[i - 1]?.done ?? 0),
  ),
})
