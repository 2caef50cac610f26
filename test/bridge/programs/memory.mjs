// How much resident memory a call takes beyond its tensors, which all have been written before.
import * as fovea from '../../../dist/index.js'

const [op, shapes, options, outShape] = JSON.parse(process.argv[2])
const filled = shape => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
  for (let i = 0; i < data.length; ++i) data[i] = ((i * 2654435761) % 1000) / 1000 - 0.5
  return fovea.tensor(data, shape)
}
const tensors = shapes.map(filled)
const out = filled(outShape)
const [, call] = Object.entries(fovea).find(([name]) => name === op)
const before = process.memoryUsage().rss
call(...tensors, { ...options, into: { out } })
console.log(JSON.stringify({ megabytes: process.resourceUsage().maxRSS / 1024 - before / 2 ** 20 }))
