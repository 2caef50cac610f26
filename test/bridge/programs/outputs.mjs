// How much resident memory stays with calls whose outputs are dropped, in megabytes, beside what they made.
import { softmax, tensor } from '../../../dist/index.js'
import * as promises from '../../../dist/promises.js'

const x = tensor(new Float32Array(2 ** 18).fill(1), [512, 512])
const call = async () => {
  softmax(x)
  await promises.softmax(x)
  const controller = new AbortController()
  const ended = promises.softmax(x, { signal: controller.signal })
  controller.abort()
  await ended.catch(() => {})
}
for (let i = 0; i < 30; i++) await call()
const before = process.memoryUsage().rss
const calls = 150
for (let i = 0; i < calls; i++) await call()
const megabytes = (process.memoryUsage().rss - before) / 2 ** 20
console.log(JSON.stringify({ megabytes, made: 3 * calls }))
