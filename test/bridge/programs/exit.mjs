// Leaves in the middle of a job: by process.exit, by an exception, or (argument "end") by finishing, and
// then the pending call has to be waited for.
import { job, runLater, say, sleep } from './job.mjs'

const args = await job(process.argv[2] === 'end' ? 200 : 1000)
let settled = false
runLater(args).then(() => {
  settled = true
})
runLater(args)
const start = performance.now()
process.on('exit', () => say({ settled, ran: performance.now() - start, at: Date.now() }))
if (process.argv[2] !== 'end') await sleep(50)
if (process.argv[2] === 'exit') process.exit(3)
if (process.argv[2] === 'throw') throw new Error('on purpose')
