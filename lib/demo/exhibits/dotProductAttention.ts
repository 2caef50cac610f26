import { dotProductAttention, type Tensor, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention, together } from './shared/attention.ts'
import { selection } from './shared/handmade.ts'
import { headOf, withHead } from './shared/singleHead.ts'

/** Patches on either side of the centre of a window. */
const reach = 14

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'All patches, those around its own place in reading order, or those around a place that the patch predicts from its own colour, fading with the distance.',
  show(photo, bench) {
    const { coarse } = photo
    const query = coarse.appearance
    const tokens = headOf(query)
    const size = tokens.shape[2]!
    const general = { W: selection(size, 0, size, defaultScale(query)) }
    const attend =
      (weights: object, options: object) =>
      (value: Tensor): Tensor =>
        withHead(
          dotProductAttention(tokens, tokens, headOf(value), weights, {
            score: 'general',
            localWindow: reach,
            ...options,
          }).out,
        )
    const all = showAttention(photo, bench, {
      label: 'all',
      tokens: coarse,
      query,
      attend: attend(general, {}),
    })
    const monotonic = showAttention(photo, bench, {
      label: 'monotonic',
      tokens: coarse,
      query,
      attend: attend(general, { local: 'monotonic' }),
      sees: (i, j) => Math.abs(i - j) <= reach,
    })

    // The sum of the first readings, colours, says how far down the picture to look.
    const Wp = new Float32Array(size).fill(0.1, 0, size / 4)
    const predicting = {
      ...general,
      Wp: tensor(Wp, [1, size]),
      vp: tensor(Float32Array.of(3), [1]),
    }
    const row = (token: number): ArrayLike<number> => {
      const at = tokens.offset + token * tokens.strides[1]!
      return Array.from({ length: size }, (_, d) => tokens.data[at + d * tokens.strides[2]!]!)
    }
    const rows = Array.from({ length: coarse.count }, (_, token) => row(token))
    const centres = rows.map(
      q => coarse.count / (1 + Math.exp(-3 * Math.tanh(dot(Array.from(Wp), q)))),
    )
    const sees = (i: number, j: number): boolean => Math.abs(j - Math.floor(centres[i]!)) <= reach
    const predictive = showAttention(photo, bench, {
      label: 'predictive',
      tokens: coarse,
      query,
      attend: attend(predicting, { local: 'predictive' }),
      sees,
      expected(value) {
        const values = headOf(value)
        const [, length, width] = values.shape as [number, number, number]
        const out = new Float64Array(length * width)
        for (let i = 0; i < length; i++) {
          const keys = rows.map((_, j) => j).filter(j => sees(i, j))
          const scores = keys.map(j => dot(rows[i]!, rows[j]!) * Math.fround(defaultScale(query)))
          const most = Math.max(...scores)
          const sum = scores.reduce((total, score) => total + Math.exp(score - most), 0)
          keys.forEach((j, n) => {
            const away = (j - centres[i]!) / (reach / 2)
            const share = (Math.exp(scores[n]! - most) / sum) * Math.exp((-away * away) / 2)
            for (let d = 0; d < width; d++)
              out[i * width + d]! +=
                share *
                values.data[values.offset + j * values.strides[1]! + d * values.strides[2]!]!
          })
        }
        return out
      },
    })
    return together(all, monotonic, predictive)
  },
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!
  return sum
}
