import { attentionGate, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { beforeAndBehind, gated, gatedMap, positionHeat } from './shared/gates.ts'
import { biasOf, convolution, identity, norm, sigmoid } from './shared/handmade.ts'

const gain = 12
const offset = -2

interface Plane {
  readonly data: ArrayLike<number>
  readonly rows: number
  readonly columns: number
}

/** The mean of squares of `side` positions; what does not fill one is left out. */
function averaged({ data, rows, columns }: Plane, side: number): Plane {
  const [height, width] = [Math.floor(rows / side), Math.floor(columns / side)]
  const small = new Float64Array(height * width)
  for (let y = 0; y < height * side; y++)
    for (let x = 0; x < width * side; x++)
      small[Math.floor(y / side) * width + Math.floor(x / side)]! +=
        data[y * columns + x]! / side ** 2
  return { data: small, rows: height, columns: width }
}

/** Bilinear between the centres of the elements. */
function resized({ data, rows, columns }: Plane, height: number, width: number): Plane {
  const large = new Float64Array(height * width)
  const place = (at: number, from: number, to: number): [low: number, share: number] => {
    const s = Math.max(0, ((at + 0.5) * from) / to - 0.5)
    return [Math.floor(s), s - Math.floor(s)]
  }
  for (let at = 0; at < large.length; at++) {
    const [top, down] = place(Math.floor(at / width), rows, height)
    const [left, across] = place(at % width, columns, width)
    const value = (row: number, column: number): number =>
      data[Math.min(row, rows - 1) * columns + Math.min(column, columns - 1)]!
    const blend = (row: number): number =>
      (1 - across) * value(row, left) + across * value(row, left + 1)
    large[at] = (1 - down) * blend(top) + down * blend(top + 1)
  }
  return { data: large, rows: height, columns: width }
}

export const exhibit: Exhibit = {
  part: 'gate',
  caption:
    'A coarse map gates a finer one: here the coarse map knows the surroundings, and what stands out from them passes.',
  show(photo, bench) {
    const { x, count, channels, out } = gatedMap(photo)
    const { channels: names, rows, columns } = photo.map
    const plane: Plane = { data: x.data.subarray(0, count), rows, columns }
    const coarse = averaged(plane, 4)
    const gating = tensor(Float32Array.from(coarse.data), [1, 1, coarse.rows, coarse.columns])
    // The mean of the first channel over each cell of 2 x 2.
    const theta = new Float32Array(channels * 4).fill(1 / 4, 0, 4)
    const weights = {
      'theta.weight': tensor(theta, [1, channels, 2, 2]),
      ...convolution('phi', [[-1]]),
      ...biasOf('phi', 1),
      ...convolution('psi', [[gain]]),
      ...biasOf('psi', 1, offset),
      ...convolution('W.0', identity(channels)),
      ...biasOf('W.0', channels),
      ...norm('W.1', channels),
    }
    const into = { out, attention: tensor(new Float32Array(count), [1, 1, rows, columns]) }
    const { result, row } = bench.measure({
      label: 'feature map',
      shape: x.shape.join('×'),
      flops: 2 * x.data.length * (1 + channels),
      run: () => attentionGate(x, gating, weights, { into }),
      output: ({ out }) => out,
      expected: () => {
        const cells = averaged(plane, 2)
        const around = resized(coarse, cells.rows, cells.columns)
        const grid = Array.from(cells.data, (value, at) =>
          sigmoid(gain * Math.max(value - around.data[at]!, 0) + offset),
        )
        const fine = resized({ ...cells, data: grid }, rows, columns)
        return gated(x.data, (_, p) => fine.data[p]!, count)
      },
    })
    return {
      rows: [row],
      figures: [
        {
          title: 'What stands out',
          caption: `Cells whose ${names[0]!} is above that of their surroundings, four times as wide.`,
          panels: [positionHeat(photo, 'the gate', result.attention.data)],
        },
        beforeAndBehind(photo, result.out.data, 'The rest is held back, in every channel alike.'),
      ],
    }
  },
}
