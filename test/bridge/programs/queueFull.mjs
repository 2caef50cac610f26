// Queues tiny calls behind a long one until one is refused, then aborts the long one: the rest may run.
import { scaledDotProductAttention, tensor } from '../../../dist/index.js'
import { job, runLater, say } from './job.mjs'

const controller = new AbortController()
const long = runLater(await job(60_000, { signal: controller.signal })).catch(() => 'aborted')
const x = tensor(new Float32Array(16), [1, 1, 4, 4])
const into = { out: tensor(new Float32Array(16), [1, 1, 4, 4]) }
const queued = []
let refusal
for (let i = 0; i < 100 && refusal === undefined; i++) {
  for (let k = 0; k < 1000; k++) {
    const call = runLater([x, x, x, { into }])
    queued.push(
      call.catch(error => {
        refusal ??= error
      }),
    )
  }
  await new Promise(setImmediate)
}
controller.abort()
await Promise.all(queued)
const { name, code, operation, message } = refusal ?? {}
const { out } = scaledDotProductAttention(x, x, x)
say({ name, code, operation, message, first: await long, after: out.data.length })
