// Thousands of calls that share one signal, all ended by it.
import { tensor } from '../../../dist/index.js'
import { job, runLater, say } from './job.mjs'

const controller = new AbortController()
const { signal } = controller
const long = runLater(await job(60_000, { signal })).catch(() => {})
const x = tensor(new Float32Array(16), [1, 1, 4, 4])
const before = performance.now()
const calls = Array.from({ length: 10_000 }, () => runLater([x, x, x, { signal }]))
controller.abort()
const settled = await Promise.allSettled([long, ...calls])
const took = performance.now() - before
say({ took, aborted: settled.filter(({ reason }) => reason === signal.reason).length })
