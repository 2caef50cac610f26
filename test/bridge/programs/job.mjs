// A call of about a given length on whatever machine and instruction set this is.
import { readdirSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { getNumThreads, scaledDotProductAttention, tensor } from '../../../dist/index.js'
import * as promises from '../../../dist/promises.js'

const length = 256
const view = (size, rows) =>
  tensor(new Float32Array(rows * 64).fill(0.5), [size, 4, rows, 64], { strides: [0, 0, 64, 1] })

/** `stretch` times the keys make it as many times longer without a larger output. */
function attention(batches, stretch = 1) {
  const keys = view(batches, length * stretch)
  const out = tensor(new Float32Array(batches * 4 * length * 64), [batches, 4, length, 64])
  return [view(batches, length), keys, keys, { into: { out } }]
}

let batchesAMillisecond = workerData?.batchesAMillisecond ?? 0
/** For a Worker's workerData: what was measured once serves the next. */
export const pace = () => ({ batchesAMillisecond })

/** The arguments of a scaledDotProductAttention that takes the team about so many milliseconds. */
export async function job(milliseconds, options = {}) {
  // On a busy machine one measurement may be many times too long: the fastest of a few counts.
  for (let batches = getNumThreads() * 4; batchesAMillisecond === 0; batches *= 2) {
    const times = []
    for (let i = 0; i < 4; i++) {
      const start = performance.now()
      await promises.scaledDotProductAttention(...attention(batches))
      times.push(performance.now() - start)
    }
    const fastest = Math.min(...times)
    if (fastest > 20) batchesAMillisecond = batches / fastest
  }
  const stretch = milliseconds > 2000 ? 64 : 1
  const batches = Math.ceil((batchesAMillisecond * milliseconds) / stretch)
  const [query, key, value, own] = attention(batches, stretch)
  return [query, key, value, { ...own, ...options }]
}

export const runNow = args => scaledDotProductAttention(...args)
export const runLater = args => promises.scaledDotProductAttention(...args)

/** Threads of this process. */
export const threadCount = () => readdirSync('/proc/self/task').length
export const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))
/** Lets libuv start its four threads, so that they do not count as the engine's. */
export async function startLibuv() {
  const { readFile } = await import('node:fs/promises')
  await Promise.all(Array.from({ length: 8 }, () => readFile(new URL(import.meta.url))))
}
export const say = value => console.log(JSON.stringify(value))
