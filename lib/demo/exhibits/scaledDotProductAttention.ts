import { scaledDotProductAttention, type Tensor, tensor } from '../../index.ts'
import type { Exhibit, Figure } from '../exhibit.ts'
import { heads } from '../photo/descriptor.ts'
import { type Scale, tokenAt } from '../photo/grid.ts'
import type { Photo } from '../photo/photo.ts'
import { drawnSpots } from '../photo/spots.ts'
import { defaultScale, measureAttention } from './shared/attention.ts'
import { drawAttention, drawPatches } from './shared/draw.ts'
import { tellAttention } from './shared/tell.ts'
import { attentionMatrix, attentionOf, explorePerHead, identityValues } from './shared/weights.ts'

export const exhibit: Exhibit = {
  part: 'attention',
  caption: 'Every patch looks at the whole picture, and finds what is like itself wherever it is.',
  show(photo, bench) {
    const { coarse, fine } = photo
    const rows = [coarse, fine].flatMap(tokens => [
      measureAttention(bench, {
        label: 'three heads',
        tokens,
        query: tokens.heads,
        attend: value => attend(tokens.heads, tokens.heads, value),
      }),
      measureAttention(bench, {
        label: 'one head',
        tokens,
        query: tokens.appearance,
        attend: value => attend(tokens.appearance, tokens.appearance, value),
      }),
    ])
    const { heads: query } = coarse
    return {
      rows,
      figures: [...maps(photo), headsOf(photo), repainted(fine)],
      explore: [
        ...[fine, coarse].map(tokens => ({
          label: `colour and texture, ${tokens.patch} px`,
          grid: tokens,
          weights: attentionMatrix(tokens.count, 1, value =>
            attend(tokens.appearance, tokens.appearance, value),
          ),
        })),
        ...explorePerHead(
          attend(query, query, identityValues(coarse.count, heads.length)),
          coarse,
          heads,
        ),
      ],
    }
  },
}

function attend(query: Tensor, key: Tensor, value: Tensor): Tensor {
  return scaledDotProductAttention(query, key, value, { scale: defaultScale(query) }).out
}

/** From each spot at both scales, by colour and texture alone. */
function maps(photo: Photo): Figure[] {
  return photo.spots.slice(0, drawnSpots).map(spot => {
    const panels = [photo.coarse, photo.fine].map(tokens => {
      const from = tokenAt(tokens, spot)
      const [weights] = attentionOf(one(tokens.appearance, from), tokens.count, (query, value) =>
        attend(query, tokens.appearance, value),
      )
      return {
        tokens,
        weights: weights!,
        panel: {
          label: `${tokens.patch} px patches`,
          picture: drawAttention(photo.picture, tokens, weights!, from),
        },
      }
    })
    const { tokens, weights } = panels[1]!
    return {
      title: `From ${spot.name}`,
      caption: tellAttention(photo, tokens, weights, spot),
      panels: panels.map(({ panel }) => panel),
    }
  })
}

/** What each head alone attends to, from the first spot. */
function headsOf({ picture, spots, fine }: Photo): Figure {
  const from = tokenAt(fine, spots[0]!)
  const rows = attentionOf(one(fine.heads, from), fine.count, (query, value) =>
    attend(query, fine.heads, value),
  )
  return {
    title: `Three heads, from ${spots[0]!.name}`,
    caption:
      'The same patch asks three questions at once. Heads are slices of a token, and each attends for itself.',
    panels: rows.map((weights, head) => ({
      label: heads[head]!,
      picture: drawAttention(picture, fine, weights, from),
    })),
  }
}

/** Colours as values: attention replaces each patch by the mean of what it attends to. */
function repainted(tokens: Scale): Figure {
  const colours = tensor(tokens.colours, [1, 1, tokens.count, 3])
  const { data } = attend(tokens.appearance, tokens.appearance, colours)
  return {
    title: 'The picture, seen through attention',
    caption:
      'With colours as values, each patch is repainted as the mean of what it attends to. What has no like keeps its own colour; what has many takes theirs.',
    panels: [
      { label: 'patches', picture: drawPatches(tokens, tokens.colours) },
      { label: 'attended', picture: drawPatches(tokens, data) },
    ],
  }
}

/** One query as a view, [1, H, 1, D]. */
function one({ data, shape, strides, offset }: Tensor, token: number): Tensor {
  const [batch, headCount, , size] = shape as [number, number, number, number]
  return tensor(data, [batch, headCount, 1, size], {
    strides,
    offset: offset + token * strides[2]!,
  })
}
