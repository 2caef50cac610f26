// out[b, c] = mean of channel c over all positions.
import { fromRows, mean, rowsOf } from './maths.ts'
import type { Reference } from './reference.ts'

export const globalAveragePool: Reference = {
  op: 'globalAveragePool',
  required: ['x'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors }) {
    const { data, shape } = tensors.x!
    const [batch, channels, ...spatial] = shape as [number, number, ...number[]]
    const positions = spatial.reduce((a, b) => a * b, 1)
    const rows = rowsOf({ data, shape: [batch, channels, positions] })
    return { out: fromRows([rows.map(mean)], [batch, channels]) }
  },
}
