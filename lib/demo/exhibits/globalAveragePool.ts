import { globalAveragePool, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import * as reference from './shared/reference.ts'

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'One number a channel for the whole picture: how yellow it is, how striped. What differs from that mean stands out.',
  show({ map, picture }, bench) {
    const x = map.tensor
    const channels = map.channels.length
    const positions = map.rows * map.columns
    const into = { out: tensor(new Float32Array(channels), [1, channels]) }
    const { result: mean, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: x.data.length,
      run: () => globalAveragePool(x, { into }).out,
      output: out => out,
      expected: () => reference.means(x.data, positions),
    })
    const distances = Float32Array.from({ length: positions }, (_, at) =>
      Math.sqrt(
        map.channels.reduce(
          (sum, _, c) => sum + (x.data[c * positions + at]! - mean.data[c]!) ** 2,
          0,
        ),
      ),
    )
    const most = distances.reduce((largest, each) => Math.max(largest, each), 0) || 1
    return {
      rows: [row],
      figures: [
        {
          title: 'The mean of each channel',
          caption: 'Every channel is scaled to 0 … 1 over the photograph.',
          panels: [
            { label: '', bars: map.channels.map((name, c) => ({ name, value: mean.data[c]! })) },
          ],
        },
        {
          title: 'What is unlike the mean',
          caption:
            'The distance of each patch from the pooled description of the whole: light where a patch is rare in this picture.',
          panels: [
            {
              label: '8 px patches',
              picture: drawHeat(
                picture,
                map,
                distances.map(each => (each / most) ** 2),
              ),
            },
          ],
        },
      ],
    }
  },
}
