import { interpolateBilinear, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawPatches } from './shared/draw.ts'
import * as reference from './shared/reference.ts'

const factor = 4

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'The colours of 16 px patches on a grid four times as fine: each new patch is a mean of the four old ones around it, by distance.',
  show(photo, bench) {
    const { coarse } = photo
    const { rows, columns, count, colours, patch } = coarse
    // Colours lie beside each other: a channel is every third number.
    const x = tensor(colours, [1, 3, rows, columns], { strides: [0, 1, 3 * columns, 3] })
    const size = [rows * factor, columns * factor] as const
    const shape = [1, 3, ...size]
    const data = new Float32Array(3 * count * factor ** 2)
    const out = tensor(data, shape, { strides: [0, 1, 3 * size[1], 3] })
    const planes = Float64Array.from(
      { length: 3 * count },
      (_, at) => colours[(at % count) * 3 + Math.floor(at / count)]!,
    )
    const { row } = bench.measure({
      label: '16 px patches',
      shape: `${x.shape.join('×')} → ${size.join('×')}`,
      // Two ends, weighed and added, along each axis.
      flops: 6 * data.length,
      run: () => interpolateBilinear(x, { size, into: { out } }).out,
      output: result => result,
      expected: () => reference.resized(planes, [rows, columns], size, false),
    })
    const fine = { rows: size[0], columns: size[1], patch: patch / factor }
    return {
      rows: [row],
      figures: [
        {
          title: 'The colours of the patches',
          caption:
            'No edge is added that the patches did not hold; the steps between them are gone.',
          panels: [
            { label: `${patch} px`, picture: drawPatches(coarse, colours) },
            { label: `${fine.patch} px`, picture: drawPatches(fine, data) },
          ],
        },
      ],
    }
  },
}
