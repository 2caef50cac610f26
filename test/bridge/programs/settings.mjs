// Prints what the engine says of itself, in this thread or (argument "worker") in a Worker whose
// environment variables come as JSON.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { native } from '../../../dist/core/addon.js'

function describe() {
  try {
    return native.info()
  } catch ({ code, argument, expected, received }) {
    return { code, argument, expected, received }
  }
}

if (!isMainThread) {
  parentPort.postMessage(describe())
} else if (process.argv[2] === 'worker') {
  const worker = new Worker(new URL(import.meta.url), { env: JSON.parse(process.argv[3]) })
  worker.once('message', said => console.log(JSON.stringify([describe(), said])))
} else {
  console.log(JSON.stringify(describe()))
}
