import { bilinearAttention, type Tensor, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { drawHeat } from './shared/draw.ts'
import {
  convolution,
  meanOverChannels,
  norm,
  type Rows,
  sigmoid,
  stretched,
} from './shared/handmade.ts'

/** Reduced features: each the mean of so many neighbouring channels, less what is ordinary. */
const reduced = 4
const ordinary = 0.35
const gain: number = 16

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'A gate made of products: a channel opens where the features it belongs to are strong together, and by how often they are.',
  show({ map, picture }, bench) {
    const x = map.tensor
    const [count, channels] = [map.rows * map.columns, map.channels.length]
    const groupOf = (c: number): number => Math.floor((c * reduced) / channels)
    const pairs = Array.from({ length: reduced }, (_, d) =>
      Array.from({ length: reduced - d }, (_, j) => [j, j + d] as const),
    ).flat()
    const members = Array.from(
      { length: reduced },
      (_, g) => map.channels.filter((_, c) => groupOf(c) === g).length,
    )
    const reduce = members.map((size, g) =>
      map.channels.map((_, c) => (groupOf(c) === g ? 1 / size : 0)),
    )
    const open = map.channels.map((_, c) =>
      pairs.map(pair => (pair.includes(groupOf(c)) ? gain : 0)),
    )
    const layer = (name: string, rows: Rows, shift: number): Record<string, Tensor> => ({
      ...convolution(`${name}.conv.conv`, rows),
      [`${name}.conv.conv.bias`]: tensor(new Float32Array(rows.length), [rows.length]),
      ...norm(`${name}.conv.bn`, rows.length, { shift }),
    })
    const weights = {
      ...layer('dimReduceLayer1', reduce, -ordinary),
      ...layer('dimReduceLayer2', open, 0),
      ...layer('dimReduceLayer3', open, 0),
    }
    const into = {
      out: tensor(new Float32Array(x.data.length), x.shape),
      attention: tensor(new Float32Array(x.data.length), x.shape),
    }

    /** The same in plain float64. */
    function expected(): Float64Array {
      const r = reduce.map(row =>
        Float64Array.from({ length: count }, (_, p) =>
          Math.max(row.reduce((sum, w, c) => sum + w * x.data[c * count + p]!, 0) - ordinary, 0),
        ),
      )
      const z = pairs.map(([j, k]) => r[j]!.map((v, p) => v * r[k]![p]!))
      const means = z.map(plane => plane.reduce((sum, v) => sum + v / count, 0))
      return Float64Array.from(x.data, (value, at) => {
        const row = open[Math.floor(at / count)]!
        const p = at % count
        const inner = row.reduce((sum, w, k) => sum + w * means[k]!, 0)
        const outer = row.reduce((sum, w, k) => sum + w * z[k]![p]!, 0)
        return value * sigmoid(inner * outer)
      })
    }
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: 2 * count * channels * (reduced + pairs.length),
      run: () => bilinearAttention(x, weights, { into }),
      output: ({ out }) => out,
      expected,
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'Where features are strong together',
          caption:
            'Four groups of channels make ten products. Light where many of them are large at once; elsewhere the gate stands half open.',
          panels: [
            {
              label: 'the gate, all channels together',
              picture: drawHeat(
                picture,
                map,
                stretched(meanOverChannels(result.attention.data, count)),
              ),
            },
          ],
        },
      ],
    }
  },
}
