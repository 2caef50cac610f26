import { rgaModule, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import { identity, meanOverChannels, stretched } from './shared/handmade.ts'
import { channelsOf, positionsOf, quarters, relate } from './shared/relations.ts'

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'Both at once: first the places that are unlike the rest, then, of what they leave, the channels that are.',
  show({ map, picture }, bench) {
    const x = map.tensor
    const [count, channels] = [map.rows * map.columns, map.channels.length]
    const options = { chaRatio: 1, spaRatio: Math.floor(count / 4), downRatio: 4 } as const
    // One pair of ratios serves both halves: the quarters that embed the channels count the relations
    // of a position, and the other way round.
    const spatial = relate('spatial', positionsOf(x.data, count), identity(channels), {
      related: 4,
      hidden: 1,
    })
    const between = Float64Array.from(x.data, (v, at) => v * spatial.attention[at % count]!)
    const channel = relate('channel', channelsOf(between, count), quarters(map), {
      related: channels,
      hidden: Math.floor((1 + channels) / 4),
    })
    const weights = { ...spatial.weights, ...channel.weights }
    const into = {
      out: tensor(new Float32Array(x.data.length), x.shape),
      spatialAttention: tensor(new Float32Array(count), [1, 1, map.rows, map.columns]),
    }
    const { result, row } = bench.measure({
      label: 'positions, then channels',
      shape: x.shape.join('×'),
      flops: 2 * count * channels * (3 * channels + 16 + 12 + 16),
      run: () => rgaModule(x, weights, { ...options, into }),
      output: ({ out }) => out,
      expected: () =>
        between.map((value, at) => value * channel.attention[Math.floor(at / count)]!),
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'Where, and then how much of everything',
          caption: 'The positions that are kept, and what both gates leave, all channels together.',
          panels: [
            {
              label: 'attention of each position',
              picture: drawHeat(picture, map, stretched(result.spatialAttention.data)),
            },
            {
              label: 'what is left',
              picture: drawHeat(picture, map, stretched(meanOverChannels(result.out.data, count))),
            },
          ],
        },
      ],
    }
  },
}
