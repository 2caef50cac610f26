import { rgaSpatial, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import { identity, stretched } from './shared/handmade.ts'
import { positionsOf, relate } from './shared/relations.ts'

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'Every patch is related to every other, both ways. Here a patch is kept for being unlike the rest of the picture.',
  show({ map, picture }, bench) {
    const x = map.tensor
    const [count, channels] = [map.rows * map.columns, map.channels.length]
    const { weights, attention } = relate('spatial', positionsOf(x.data, count), identity(channels))
    const options = { chaRatio: 1, spaRatio: count, downRatio: 2 } as const
    const into = {
      out: tensor(new Float32Array(x.data.length), x.shape),
      spatialAttention: tensor(new Float32Array(count), [1, 1, map.rows, map.columns]),
    }
    const { result, row } = bench.measure({
      label: 'positions',
      shape: x.shape.join('×'),
      // Three embeddings, the relations, what is made of them.
      flops: 2 * count * channels * (3 * channels + 4),
      run: () => rgaSpatial(x, weights, { ...options, into }),
      output: ({ out }) => out,
      expected: () => Float64Array.from(x.data, (value, at) => value * attention[at % count]!),
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'What is unlike the rest',
          caption: `Light where a patch has little in common with the ${count.toLocaleString('en-US')} patches of the picture taken together.`,
          panels: [
            {
              label: 'attention of each position',
              picture: drawHeat(picture, map, stretched(result.spatialAttention.data)),
            },
          ],
        },
      ],
    }
  },
}
