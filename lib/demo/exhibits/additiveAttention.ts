import { additiveAttention, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { tokenAt } from '../photo/grid.ts'
import { drawAttention, drawPattern } from './shared/draw.ts'
import { tellAttention } from './shared/tell.ts'

/** How narrow the bump of each channel is, and how much all of them weigh. */
const [steepness, weight] = [1.5, 0.15]

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Not a product but a small network scores each pair: here two steps a channel make a bump, highest where two patches read the same.',
  show(photo, bench) {
    const { coarse, picture, spots } = photo
    const { count } = coarse
    const [, , size] = coarse.appearance.shape.slice(1) as [number, number, number]
    const tokens = tensor(coarse.appearance.data, [1, count, size], {
      strides: [0, coarse.appearance.strides[2]!, 1],
    })
    // tanh(a (q - k) + c) - tanh(a (q - k) - c): channels in pairs.
    const channels = 2 * size
    const Wq = new Float32Array(channels * size)
    const b = new Float32Array(channels)
    const v = new Float32Array(channels)
    for (let a = 0; a < channels; a++) {
      Wq[a * size + (a >> 1)] = steepness
      b[a] = a % 2 === 0 ? 1 : -1
      v[a] = a % 2 === 0 ? weight : -weight
    }
    const weights = {
      Wq: tensor(Wq, [channels, size]),
      Wk: tensor(
        Wq.map(value => -value),
        [channels, size],
      ),
      v: tensor(v, [channels]),
      b: tensor(b, [channels]),
    }
    const { result, row } = bench.measure({
      label: '16 px patches',
      shape: `1×${count}×${size}, ${channels} channels`,
      flops: count * count * (24 * channels + 2 * size),
      run: () =>
        additiveAttention(tokens, tokens, tokens, weights, {
          outputs: ['out', 'attentionWeights'],
        }),
      output: ({ out }) => out,
      expected: () => expected(coarse.appearance.data, tokens.strides[1]!, count, size),
    })
    const map = result.attentionWeights.data as Float32Array
    return {
      rows: [row],
      figures: spots.slice(0, 3).map((spot, index) => {
        const from = tokenAt(coarse, spot)
        const own = map.subarray(from * count, (from + 1) * count)
        const drawn = {
          label: 'what it attends to',
          picture: drawAttention(picture, coarse, own, from),
        }
        const pattern = { label: 'the pattern: every key', picture: drawPattern(count, () => true) }
        return {
          title: `From ${spot.name}`,
          caption: tellAttention(photo, coarse, own, spot),
          panels: index === 0 ? [pattern, drawn] : [drawn],
        }
      }),
      explore: [{ label: '', grid: coarse, weights: map }],
    }
  },
}

function expected(data: ArrayLike<number>, stride: number, count: number, size: number) {
  const out = new Float64Array(count * size)
  const scores = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    let most = Number.NEGATIVE_INFINITY
    for (let j = 0; j < count; j++) {
      let score = 0
      for (let c = 0; c < size; c++) {
        const x = steepness * (data[i * stride + c]! - data[j * stride + c]!)
        score += Math.fround(weight) * (Math.tanh(x + 1) - Math.tanh(x - 1))
      }
      scores[j] = score
      most = Math.max(most, score)
    }
    let sum = 0
    for (let j = 0; j < count; j++) sum += scores[j] = Math.exp(scores[j]! - most)
    for (let j = 0; j < count; j++)
      for (let c = 0; c < size; c++)
        out[i * size + c]! += (scores[j]! / sum) * data[j * stride + c]!
  }
  return out
}
