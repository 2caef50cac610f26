import { linear, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { filters, windowSize } from '../photo/filters.ts'
import { drawSigned, drawTiles } from './shared/draw.ts'
import * as reference from './shared/reference.ts'
import { cellGrid, response, spread } from './shared/responses.ts'

const answers = [
  [
    'blue to yellow',
    'Yellow against blue',
    'The answers of one filter: orange where the picture is yellow.',
  ],
  [
    'dark or bright spot',
    'Spots',
    'Orange where a spot is brighter than its surroundings, blue where it is darker.',
  ],
] as const

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Every window of 8 × 8 pixels is multiplied by a bank of filters: the first layer of a vision network, here written by hand.',
  show(photo, bench) {
    const { windows, filterWeights: weight } = photo
    const [rows, inputs] = windows.shape as [number, number]
    const outputs = weight.shape[0]!
    const into = { out: tensor(new Float32Array(rows * outputs), [rows, outputs]) }
    const { row } = bench.measure({
      label: 'windows × filters',
      shape: `${rows}×${inputs} → ${outputs}`,
      flops: 2 * rows * inputs * outputs,
      run: () => linear(windows, { weight }, { into }).out,
      output: out => out,
      expected: () => reference.linear(windows.data, weight.data, undefined, rows, inputs),
    })
    const tiles = filters.map(({ taps }) =>
      Float32Array.from(
        { length: windowSize ** 2 },
        (_, at) => taps[at * 3]! + taps[at * 3 + 1]! + taps[at * 3 + 2]!,
      ),
    )
    return {
      rows: [row],
      figures: [
        {
          title: 'The weights',
          caption:
            'Thirty-two filters: three means of colour, a spot, four colour edges, and stripes at six angles, two widths and two phases. Orange adds, blue takes away.',
          panels: [{ label: 'one square a filter', picture: drawTiles(tiles, windowSize, 8) }],
        },
        ...answers.map(([name, title, caption]) => {
          const values = response(photo, name)
          return {
            title,
            caption,
            panels: [
              {
                label: name,
                picture: drawSigned(photo.picture, cellGrid(photo), values, spread(values)),
              },
            ],
          }
        }),
      ],
    }
  },
}
