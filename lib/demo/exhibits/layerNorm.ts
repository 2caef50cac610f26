import { layerNorm, softmax, type Tensor, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { headSize } from '../photo/descriptor.ts'
import { type Scale, tokenAt } from '../photo/grid.ts'
import { defaultScale } from './shared/attention.ts'
import { drawAttention } from './shared/draw.ts'
import * as reference from './shared/reference.ts'

/** The head whose descriptors differ in length: a strong texture has a long one. */
const texture = 1

export const exhibit: Exhibit = {
  part: 'layer',
  caption:
    'A loud patch would draw all attention by its sheer length. Normalised, only the direction of a token counts.',
  show(photo, bench) {
    const { fine, picture, spots } = photo
    const { raw } = fine
    const into = { out: tensor(new Float32Array(raw.data.length), raw.shape) }
    const { result, row } = bench.measure({
      label: 'tokens, by head',
      shape: raw.shape.join('×'),
      // One for the mean, three for the variance, two to normalise.
      flops: 6 * raw.data.length,
      run: () => layerNorm(raw, null, { into }).out,
      output: out => out,
      expected: () => reference.layerNorm(raw.data, headSize),
    })
    const spot = spots[2] ?? spots[0]!
    const from = tokenAt(fine, spot)
    const map = (label: string, tokens: Tensor) => ({
      label,
      picture: drawAttention(picture, fine, similarity(tokens, fine, from), from),
    })
    return {
      rows: [row],
      figures: [
        {
          title: `Texture like that of ${spot.name.replace(/^a patch/, 'the patch')}`,
          caption:
            'The same query, before and after. Without it the strongest textures win whatever was asked; with it, those of the same kind.',
          panels: [map('as they are', raw), map('normalised', result)],
        },
      ],
    }
  },
}

/** Softmax of one token's products with all others, in one head. */
function similarity({ data }: Tensor, { count, heads, raw }: Scale, from: number): Float32Array {
  const width = raw.shape[1]! * headSize
  const at = texture * headSize
  const scores = Float32Array.from({ length: count }, (_, token) => {
    let sum = 0
    for (let d = 0; d < headSize; d++)
      sum += data[from * width + at + d]! * data[token * width + at + d]!
    return sum * defaultScale(heads)
  })
  return softmax(tensor(scores, [count])).out.data
}
