import { rgaChannel, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import { meanOverChannels, stretched } from './shared/handmade.ts'
import { channelsOf, quarters, relate } from './shared/relations.ts'

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'Every channel is related to every other by where in the picture it is strong. Here one is kept for being unlike the others.',
  show({ map, picture }, bench) {
    const x = map.tensor
    const [count, channels] = [map.rows * map.columns, map.channels.length]
    const { weights, attention } = relate('channel', channelsOf(x.data, count), quarters(map))
    const options = { chaRatio: channels, spaRatio: Math.floor(count / 4), downRatio: 2 } as const
    const into = {
      out: tensor(new Float32Array(x.data.length), x.shape),
      channelAttention: tensor(new Float32Array(channels), [1, channels]),
    }
    const { result, row } = bench.measure({
      label: 'channels',
      shape: x.shape.join('×'),
      flops: 2 * channels * 4 * (3 * count + 4),
      run: () => rgaChannel(x, weights, { ...options, into }),
      output: ({ out }) => out,
      expected: () =>
        Float64Array.from(x.data, (value, at) => value * attention[Math.floor(at / count)]!),
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'How much of each channel is kept',
          caption:
            'A channel that lies over the picture as most of them do has many relations, and fades.',
          panels: [
            {
              label: '',
              bars: map.channels.map((name, c) => ({
                name,
                value: result.channelAttention.data[c]!,
              })),
            },
            {
              label: 'what is left, all channels together',
              picture: drawHeat(picture, map, stretched(meanOverChannels(result.out.data, count))),
            },
          ],
        },
      ],
    }
  },
}
