import { batchNorm, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawSigned } from './shared/draw.ts'
import { gatedMap } from './shared/gates.ts'
import { meanOverChannels } from './shared/handmade.ts'

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Every channel less its mean, over its deviation: after it, channels can be compared, and a patch tells by how much it stands out.',
  show(photo, bench) {
    const { map, picture } = photo
    const { x, count, channels, means, out } = gatedMap(photo)
    const variances = means.map((mean, c) => {
      let sum = 0
      for (let p = 0; p < count; p++) sum += (x.data[c * count + p]! - mean) ** 2 / count
      return sum
    })
    const weights = {
      running_mean: tensor(Float32Array.from(means), [channels]),
      running_var: tensor(Float32Array.from(variances), [channels]),
    }
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: 2 * x.data.length,
      run: () => batchNorm(x, weights, { into: { out } }).out,
      output: result => result,
      expected: () =>
        Float64Array.from(x.data, (value, at) => {
          const c = Math.floor(at / count)
          return (value - means[c]!) / Math.sqrt(variances[c]! + 1e-5)
        }),
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'What stands out',
          caption:
            'The mean of all channels: orange where a patch has more of most of them than the picture on the whole, blue where it has less.',
          panels: [
            {
              label: 'mean of the normalised channels',
              picture: drawSigned(picture, map, meanOverChannels(result.data, count), 1.5),
            },
          ],
        },
      ],
    }
  },
}
