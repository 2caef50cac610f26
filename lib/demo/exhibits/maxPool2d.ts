import { maxPool2d, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import { positionHeat } from './shared/gates.ts'

const kernel = 2

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Of every four patches the largest reading: the map shrinks to a quarter, and what was strong anywhere stays strong.',
  show(photo, bench) {
    const { map, picture } = photo
    const x = map.tensor
    const channels = map.channels.length
    const [rows, columns] = [Math.floor(map.rows / kernel), Math.floor(map.columns / kernel)]
    const count = map.rows * map.columns
    const out = tensor(new Float32Array(channels * rows * columns), [1, channels, rows, columns])
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: x.data.length,
      run: () => maxPool2d(x, { kernel, into: { out } }).out,
      output: result => result,
      expected: () =>
        Float64Array.from(out.data, (_, at) => {
          const [c, y] = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows]
          const from = c * count + y * kernel * map.columns + (at % columns) * kernel
          const four = [from, from + 1, from + map.columns, from + map.columns + 1]
          return Math.max(...four.map(each => x.data[each]!))
        }),
    })
    const channel = channels - 1
    const name = map.channels[channel]!
    const before = x.data.subarray(channel * count, (channel + 1) * count)
    const after = result.data.subarray(channel * rows * columns, (channel + 1) * rows * columns)
    const grid = { rows, columns, patch: map.patch * kernel }
    return {
      rows: [row],
      figures: [
        {
          title: 'One channel, before and after',
          caption: `“${name}”: thin lines of strong readings grow as broad as the new patches.`,
          panels: [
            positionHeat(photo, `${map.patch} px patches`, before),
            { label: `${grid.patch} px patches`, picture: drawHeat(picture, grid, after) },
          ],
        },
      ],
    }
  },
}
