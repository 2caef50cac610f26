// CPU time, in milliseconds, of an idle second after work, and of work itself that comes in short bursts.
import { job, runLater, runNow, say, sleep } from './job.mjs'

const [small, large] = [await job(0.3), await job(50)]
runNow(large)
await runLater(large)
await sleep(50)
const spent = async work => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
const idle = await spent(() => sleep(1000))
const work = await spent(async () => {
  for (let i = 0; i < 50; i++) await runLater(small)
})
const bursts = await spent(async () => {
  for (let i = 0; i < 50; i++) {
    await runLater(small)
    await sleep(10)
  }
})
say({ idle, work, bursts })
