// `node scripts/recordCalls.mjs FILE`: runs every golden case of the operations that exist and writes down
// what crossed the bridge, with what must come of it. The native tests replay the file where there is no
// Node: under sanitizers, and on other processors. Needs `npm run build`.
//
// A record is a header of lines, a blank one, and the arrays' bytes, each padded to 8:
//   call OP CASE
//   meta COUNT                        float64
//   input TYPE COUNT                  in slot order
//   output TYPE COUNT RTOL ATOL       what is expected of it
import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const load = path => import(join(root, 'dist', path))
const { readSafetensors } = await load('index.js')
const { native } = await load('core/addon.js')
const { callByName, definitions } = await load('core/operation.js')

const types = new Map([
  [Float32Array, 'float32'],
  [Uint16Array, 'uint16'],
  [Uint8Array, 'uint8'],
  [Int32Array, 'int32'],
])
const bytesOf = array => Buffer.from(array.buffer, array.byteOffset, array.byteLength)
const padding = bytes => Buffer.alloc(-bytes.length & 7)

// Not inherited by the bridge: the one place where all calls pass.
let crossed
const { run } = native
native.run = (op, meta, ...data) => {
  crossed = { meta: meta.slice(), data }
  run(op, meta, ...data)
}

function record(path) {
  const { tensors, metadata } = readSafetensors(path)
  const inputs = Object.entries(tensors).filter(([name]) => !/^(expected|aux)\./.test(name))
  const results = callByName(metadata.op, Object.fromEntries(inputs), JSON.parse(metadata.params), {
    threads: 2,
  })
  const perOutput = JSON.parse(metadata.tolerances ?? '{}')
  const lines = [
    `call ${metadata.op} ${basename(path, '.safetensors')}`,
    `meta ${crossed.meta.length}`,
  ]
  const payload = [bytesOf(crossed.meta)]
  for (const data of crossed.data) {
    const head = `${types.get(data.constructor)} ${data.length}`
    const output = Object.keys(results).find(name => results[name].data === data)
    const expected = tensors[`expected.${output}`]
    if (output === undefined) {
      lines.push(`input ${head}`)
      payload.push(bytesOf(data))
    } else if (expected === undefined) {
      throw new Error(`${path} expects nothing of ${output}`)
    } else {
      const { rtol, atol } = perOutput[output] ?? metadata
      lines.push(`output ${head} ${rtol} ${atol}`)
      payload.push(bytesOf(expected.data))
    }
  }
  const header = Buffer.from(`${lines.join('\n')}\n\n`)
  return [header, ...payload].flatMap(bytes => [bytes, padding(bytes)])
}

const file = process.argv[2]
mkdirSync(dirname(file), { recursive: true })
const target = openSync(file, 'w')
let count = 0
const golden = join(root, 'test/golden')
for (const op of readdirSync(golden).filter(name => definitions.has(name))) {
  for (const name of readdirSync(join(golden, op)).sort()) {
    for (const bytes of record(join(golden, op, name))) writeSync(target, bytes)
    count++
  }
}
closeSync(target)
console.log(`${count} calls recorded`)
