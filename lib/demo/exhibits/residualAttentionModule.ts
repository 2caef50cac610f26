import { residualAttentionModule, type Tensor, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import {
  convolution,
  identity,
  meanOverChannels,
  norm,
  sigmoid,
  stretched,
} from './shared/handmade.ts'

const gain = 4

interface Map64 {
  readonly data: Float64Array
  readonly rows: number
  readonly columns: number
}

/** The largest of 3 x 3, every second row and column. */
function pooled({ data, rows, columns }: Map64): Map64 {
  const [height, width] = [Math.ceil(rows / 2), Math.ceil(columns / 2)]
  const small = new Float64Array((data.length / (rows * columns)) * height * width)
  for (let at = 0; at < small.length; at++) {
    const plane = Math.floor(at / (height * width)) * rows * columns
    const [y, x] = [Math.floor(at / width) % height, at % width]
    let most = Number.NEGATIVE_INFINITY
    for (let row = Math.max(2 * y - 1, 0); row <= Math.min(2 * y + 1, rows - 1); row++)
      for (
        let column = Math.max(2 * x - 1, 0);
        column <= Math.min(2 * x + 1, columns - 1);
        column++
      )
        most = Math.max(most, data[plane + row * columns + column]!)
    small[at] = most
  }
  return { data: small, rows: height, columns: width }
}

/** Stretched between aligned corners. */
function enlarged({ data, rows, columns }: Map64, height: number, width: number): Map64 {
  const large = new Float64Array((data.length / (rows * columns)) * height * width)
  for (let at = 0; at < large.length; at++) {
    const plane = Math.floor(at / (height * width)) * rows * columns
    const y = height > 1 ? ((Math.floor(at / width) % height) * (rows - 1)) / (height - 1) : 0
    const x = width > 1 ? ((at % width) * (columns - 1)) / (width - 1) : 0
    const [top, left] = [Math.floor(y), Math.floor(x)]
    const value = (row: number, column: number): number =>
      data[plane + Math.min(row, rows - 1) * columns + Math.min(column, columns - 1)]!
    const blend = (row: number): number =>
      (1 - (x - left)) * value(row, left) + (x - left) * value(row, left + 1)
    large[at] = (1 - (y - top)) * blend(top) + (y - top) * blend(top + 1)
  }
  return { data: large, rows: height, columns: width }
}

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'The mask is made from afar: the map is pooled twice, stretched back and added to what stands there, so that a place is judged with its surroundings.',
  show({ map, picture }, bench) {
    const x = map.tensor
    const { rows, columns } = map
    const [count, C] = [rows * columns, map.channels.length]
    const zeros = (outs: number, ins: number): number[][] =>
      Array.from({ length: outs }, () => new Array<number>(ins).fill(0))
    // Bottlenecks that add nothing: what remains is the path of the mask.
    const block = (name: string): Record<string, Tensor> => ({
      ...norm(`${name}.bn1`, C),
      ...convolution(`${name}.conv1`, zeros(C / 4, C)),
      ...norm(`${name}.bn2`, C / 4),
      [`${name}.conv2.weight`]: tensor(new Float32Array((C / 4) ** 2 * 9), [C / 4, C / 4, 3, 3]),
      ...norm(`${name}.bn3`, C / 4),
      ...convolution(`${name}.conv3`, zeros(C, C / 4)),
    })
    const blocks = ['first_residual_blocks', 'trunk_branches.0', 'trunk_branches.1', 'last_blocks']
    blocks.push('softmax1_blocks', 'skip1_connection_residual_block')
    blocks.push('softmax2_blocks.0', 'softmax2_blocks.1', 'softmax3_blocks')
    const against = identity(C).map(row => Array.from(row, each => gain * (each - 1 / C)))
    const weights: Record<string, Tensor> = Object.assign({}, ...blocks.map(block), {
      ...norm('softmax4_blocks.0', C),
      ...convolution('softmax4_blocks.2', identity(C)),
      ...norm('softmax4_blocks.3', C),
      // A channel against the mean of all.
      ...convolution('softmax4_blocks.5', against),
    })
    const into = {
      out: tensor(new Float32Array(x.data.length), x.shape),
      mask: tensor(new Float32Array(x.data.length), x.shape),
    }

    /** The same in plain float64; the map is nowhere negative, so no ReLU takes anything away. */
    function expected(): Float64Array {
      const top = { data: Float64Array.from(x.data), rows, columns }
      const down = pooled(top)
      const up = enlarged(pooled(down), down.rows, down.columns)
      const sums = up.data.map((value, at) => value + 2 * down.data[at]!)
      const wide = enlarged({ ...down, data: sums }, rows, columns)
      const logits = wide.data.map((value, at) => value + top.data[at]!)
      const means = meanOverChannels(logits, count)
      return logits.map(
        (value, at) => (1 + sigmoid(gain * (value - means[at % count]!))) * top.data[at]!,
      )
    }
    const bottleneck = 2 * (C / 4) * C + 9 * (C / 4) ** 2
    const { result, row } = bench.measure({
      label: 'stage 2',
      shape: x.shape.join('×'),
      flops: 2 * count * (bottleneck * (4 + 3 / 4 + 2 / 16) + 2 * C * C),
      run: () => residualAttentionModule(x, weights, { stage: 2, into }),
      output: ({ out }) => out,
      expected,
    })
    const shown = Math.max(map.channels.indexOf('blue to yellow'), 0)
    const of = (data: ArrayLike<number>): Float32Array =>
      stretched(Array.from({ length: count }, (_, p) => data[shown * count + p]!))
    return {
      rows: [row],
      figures: [
        {
          title: 'One channel, and its mask',
          caption: 'The mask follows the channel where it outweighs the others, in broad strokes.',
          panels: [
            { label: map.channels[shown]!, picture: drawHeat(picture, map, of(x.data)) },
            { label: 'its mask', picture: drawHeat(picture, map, of(result.mask.data)) },
          ],
        },
      ],
    }
  },
}
