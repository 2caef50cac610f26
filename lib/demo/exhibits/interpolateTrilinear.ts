import { interpolateTrilinear, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import { positionHeat } from './shared/gates.ts'
import * as reference from './shared/reference.ts'
import { angles } from './shared/responses.ts'

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Six angles of stripes become eleven, on twice as many rows and columns: the readings in between are those around them, weighed by distance along all three axes.',
  show(photo, bench) {
    const { picture, map } = photo
    const { x, names } = angles(photo)
    const from = x.shape.slice(2) as [number, number, number]
    const size = [2 * from[0] - 1, 2 * from[1], 2 * from[2]] as const
    const count = size[1] * size[2]
    const data = new Float32Array(size[0] * count)
    const out = tensor(data, [1, 1, ...size])
    const { row } = bench.measure({
      label: 'angles × rows × columns',
      shape: `${x.shape.join('×')} → ${size.join('×')}`,
      // Two ends, weighed and added, along each axis.
      flops: 9 * data.length,
      run: () => interpolateTrilinear(x, { size, alignCorners: true, into: { out } }).out,
      output: result => result,
      expected: () => reference.resized(x.data, from, size, true),
    })
    const grid = { rows: size[1], columns: size[2], patch: map.patch / 2 }
    const plane = (of: number): Float32Array => data.subarray(of * count, (of + 1) * count)
    return {
      rows: [row],
      figures: [
        {
          title: 'An angle that no filter has',
          caption: `Halfway between “${names[0]!}” and “${names[1]!}”.`,
          panels: [
            positionHeat(photo, names[0]!, x.data.subarray(0, from[1] * from[2])),
            { label: 'between', picture: drawHeat(picture, grid, plane(1)) },
            { label: names[1]!, picture: drawHeat(picture, grid, plane(2)) },
          ],
        },
      ],
    }
  },
}
