import { conv2d, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawSigned } from './shared/draw.ts'
import { gatedMap, positionHeat } from './shared/gates.ts'
import { contrast } from './shared/handmade.ts'
import * as reference from './shared/reference.ts'

const [channel, name] = [0, 'lightness']

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Every patch against its eight neighbours, in each channel for itself: what is even vanishes, borders and small things remain.',
  show(photo, bench) {
    const { map, picture } = photo
    const { x, count, channels, out } = gatedMap(photo)
    const kernel = contrast(3, 2)
    const taps = kernel.length
    const every = Float32Array.from({ length: channels * taps }, (_, at) => kernel[at % taps]!)
    const weights = { weight: tensor(every, [channels, 1, 3, 3]) }
    const { result, row } = bench.measure({
      label: 'feature map, a group a channel',
      shape: x.shape.join('×'),
      flops: 2 * taps * x.data.length,
      run: () => conv2d(x, weights, { padding: 1, groups: channels, into: { out } }).out,
      output: result => result,
      expected: () => reference.filtered(x.data, [1, map.rows, map.columns], kernel, [1, 3, 3]),
    })
    const ofChannel = (data: ArrayLike<number>): number[] =>
      Array.from({ length: count }, (_, at) => data[channel * count + at]!)
    return {
      rows: [row],
      figures: [
        {
          title: `One channel, before and after: ${name}`,
          caption:
            'Orange where a patch is lighter than those around it, blue where it is darker. Beyond the border lie zeros, so the rim stands out.',
          panels: [
            positionHeat(photo, 'before', ofChannel(x.data)),
            { label: 'after', picture: drawSigned(picture, map, ofChannel(result.data), 0.3) },
          ],
        },
      ],
    }
  },
}
