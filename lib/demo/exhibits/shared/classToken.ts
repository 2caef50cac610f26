import { type Tensor, tensor } from '../../../index.ts'
import type { Figure, Panel } from '../../exhibit.ts'
import { type Scale, tokenAt } from '../../photo/grid.ts'
import type { Photo } from '../../photo/photo.ts'
import { drawAttention, drawPattern } from './draw.ts'
import { tellAttention } from './tell.ts'

/**
 * A token in front of all others, a copy of one of them; each of the others with its place written beside it
 * where `places`, as one number of `count`: averages of such places are the attention itself.
 */
export function askedBy(tokens: Scale, asking: number, places: boolean): Tensor {
  const { count } = tokens
  const size = tokens.tokens.shape[2]!
  const width = places ? size + count : size
  const rows = new Float32Array((1 + count) * width)
  for (let row = 0; row <= count; row++) {
    const token = row === 0 ? asking : row - 1
    rows.set(tokens.tokens.data.subarray(token * size, (token + 1) * size) as never, row * width)
    if (places && row > 0) rows[row * width + size + token] = 1
  }
  return tensor(rows, [1, 1 + count, width])
}

/** What an added token attends to that looks like the patch at each spot. */
export function classFigures(photo: Photo, mapOf: (asking: number) => Float32Array): Figure[] {
  const { coarse, spots, picture } = photo
  return spots.slice(0, 3).map((spot, index): Figure => {
    const asking = tokenAt(coarse, spot)
    const weights = mapOf(asking)
    const panels: Panel[] = [
      { label: 'what it attends to', picture: drawAttention(picture, coarse, weights, asking) },
    ]
    if (index === 0)
      panels.unshift({
        label: 'the pattern: one query, every key',
        picture: drawPattern(coarse.count + 1, query => query === 0),
      })
    return {
      title: `An added token like ${spot.name}`,
      caption: tellAttention(photo, coarse, weights, spot),
      panels,
    }
  })
}
