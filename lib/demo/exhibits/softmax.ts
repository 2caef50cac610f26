import { linear, softmax, tensor } from '../../index.ts'
import { functionFlops } from '../bench.ts'
import type { Exhibit } from '../exhibit.ts'
import { tokenAt } from '../photo/grid.ts'
import { sharpness } from '../photo/photo.ts'
import { drawAttention } from './shared/draw.ts'
import * as reference from './shared/reference.ts'
import { tellAttention } from './shared/tell.ts'

const strengths = [sharpness / 3, sharpness, 3 * sharpness]
const names = ['soft', 'as in the other maps', 'sharp']

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'Softmax turns likeness into shares that add up to one. How far the scores lie apart decides how many patches share.',
  show(photo, bench) {
    const { coarse, picture, spots } = photo
    const { count, appearance } = coarse
    const size = appearance.shape[3]!
    // A linear layer whose weights are the tokens themselves gives every product of two of them.
    const tokens = tensor(appearance.data, [count, size], { strides: appearance.strides.slice(2) })
    const products = linear(tokens, { weight: tokens }).out.data
    const scores = strengths.map(strength =>
      tensor(
        products.map(each => (each * strength) / size),
        [count, count],
      ),
    )
    const into = { out: tensor(new Float32Array(count * count), [count, count]) }
    const { row } = bench.measure({
      label: 'scores',
      shape: `${count}×${count}`,
      // The maximum, the difference from it, the exponential, the sum, the product.
      flops: (4 + functionFlops) * count * count,
      run: () => softmax(scores[1]!, { into }).out,
      output: out => out,
      expected: () => reference.softmax(scores[1]!.data, count),
    })
    const spot = spots[0]!
    const from = tokenAt(coarse, spot)
    const maps = scores.map(each =>
      softmax(each).out.data.subarray(from * count, (from + 1) * count),
    )
    return {
      rows: [row],
      figures: [
        {
          title: `The same scores, three times, from ${spot.name}`,
          caption: maps
            .map(
              (weights, k) =>
                `${capital(names[k]!)}: ${tellAttention(photo, coarse, weights, spot).split('.')[0]!.toLowerCase()}.`,
            )
            .join(' '),
          panels: maps.map((weights, k) => ({
            label: names[k]!,
            picture: drawAttention(picture, coarse, weights, from),
          })),
        },
      ],
    }
  },
}

function capital(words: string): string {
  return words[0]!.toUpperCase() + words.slice(1)
}
