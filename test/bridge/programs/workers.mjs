// Terminates Workers in the middle of promise calls; only Workers load the engine. Prints how long each
// terminate() took.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

if (!isMainThread) {
  const { job, pace, runLater } = await import('./job.mjs')
  const [small, large] = [await job(0.01), await job(500)]
  for (let i = 0; i < 10; i++) {
    runLater(large)
    runLater(small)
  }
  parentPort.postMessage(pace())
} else {
  const times = []
  let workerData
  for (let i = 0; i < Number(process.argv[2]); i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData })
    workerData = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    )
    await new Promise(resolve => setTimeout(resolve, (i * 7) % 20))
    const start = performance.now()
    await worker.terminate()
    times.push(performance.now() - start)
  }
  // A binary that had been unloaded with its Worker would now crash its own threads.
  await new Promise(resolve => setTimeout(resolve, 200))
  console.log(JSON.stringify(times))
}
