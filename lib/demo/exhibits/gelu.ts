import { gelu, tensor } from '../../index.ts'
import { functionFlops } from '../bench.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat, drawSigned } from './shared/draw.ts'
import * as reference from './shared/reference.ts'
import { cellGrid, response, spread, strength } from './shared/responses.ts'

const name = 'stripes 0° every 7 px, odd'

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'An edge answers with plus or minus by the side it is lit from. GELU keeps what is positive, and makes strength of it.',
  show(photo, bench) {
    const { responses } = photo
    const { data, shape } = responses
    const into = { out: tensor(new Float32Array(data.length), shape) }
    const { row } = bench.measure({
      label: 'filter responses',
      shape: shape.join('×'),
      // x / sqrt 2, the error function, one more, half of x, their product.
      flops: (4 + functionFlops) * data.length,
      run: () => gelu(responses, { into }).out,
      output: out => out,
      expected: () => reference.gelu(data),
    })
    const before = response(photo, name)
    const after = strength(photo, name)
    const most = 1.4 * spread(after)
    return {
      rows: [row],
      figures: [
        {
          title: 'Upright edges, before and after',
          caption:
            'Before: orange and blue flanks side by side, whose mean over a patch would be nothing. After, gelu(r) + gelu(−r): one ridge along every edge, which survives the mean.',
          panels: [
            {
              label: 'r',
              picture: drawSigned(photo.picture, cellGrid(photo), before, spread(before)),
            },
            {
              label: 'gelu(r) + gelu(−r)',
              picture: drawHeat(
                photo.picture,
                cellGrid(photo),
                after.map(value => Math.min(1, value / most)),
              ),
            },
          ],
        },
      ],
    }
  },
}
