import { conv3d, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawSigned } from './shared/draw.ts'
import { positionHeat } from './shared/gates.ts'
import { contrast } from './shared/handmade.ts'
import * as reference from './shared/reference.ts'
import { angles } from './shared/responses.ts'

const kernelShape = [3, 3, 3] as const

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'The angles of stripes make a third axis beside rows and columns. Against its 26 neighbours, a reading stands out where both the place and the angle are its own.',
  show(photo, bench) {
    const { map, picture } = photo
    const { x, names, count } = angles(photo)
    const kernel = contrast(3, 3)
    const weights = { weight: tensor(kernel, [1, 1, ...kernelShape]) }
    const into = { out: tensor(new Float32Array(x.data.length), x.shape) }
    const { result, row } = bench.measure({
      label: 'angles × rows × columns',
      shape: x.shape.join('×'),
      flops: 2 * kernel.length * x.data.length,
      run: () => conv3d(x, weights, { padding: 1, into }).out,
      output: out => out,
      expected: () => reference.filtered(x.data, x.shape.slice(2), kernel, kernelShape),
    })
    const at = Math.floor(names.length / 2)
    const own = (data: ArrayLike<number>): number[] =>
      Array.from({ length: count }, (_, p) => data[at * count + p]!)
    return {
      rows: [row],
      figures: [
        {
          title: 'One angle, before and after',
          caption: `“${names[at]!}”: orange where this angle is stronger than its neighbours in angle and place.`,
          panels: [
            positionHeat(photo, 'before', own(x.data)),
            { label: 'after', picture: drawSigned(picture, map, own(result.data), 0.5) },
          ],
        },
      ],
    }
  },
}
