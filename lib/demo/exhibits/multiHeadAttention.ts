import { multiHeadAttention, permute, reshape, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { defaultScale, showAttention } from './shared/attention.ts'
import { selection } from './shared/handmade.ts'

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'Attention with its projections, as networks store it, and looking back only: read line by line, a patch sees itself and what came before. The map is the mean of three heads.',
  show(photo, bench) {
    const { coarse } = photo
    const { tokens, heads: query, count } = coarse
    const [width, heads] = [tokens.shape[2]!, query.shape[1]!]
    // Scores are divided by sqrt(D) in the layer.
    const factor = defaultScale(query) * Math.sqrt(width / heads)
    const [scaled, one] = [selection(width, 0, width, factor), selection(width, 0, width)]
    const inward = new Float32Array(3 * width * width)
    for (const [part, { data }] of [scaled, one, one].entries())
      inward.set(data as Float32Array, part * width * width)
    const weights = {
      in_proj_weight: tensor(inward, [3 * width, width]),
      'out_proj.weight': one,
    }
    const options = { heads, causal: true }
    const attentionWeights = tensor(new Float32Array(count * count), [1, count, count])
    multiHeadAttention(tokens, tokens, tokens, weights, { ...options, into: { attentionWeights } })
    return showAttention(photo, bench, {
      label: 'with its projections',
      tokens: coarse,
      query,
      weights: attentionWeights.data as Float32Array,
      attend() {
        const { out } = multiHeadAttention(tokens, tokens, tokens, weights, options)
        return permute(reshape(out, [1, count, heads, width / heads]), [0, 2, 1, 3])
      },
      sees: (i, j) => j <= i,
    })
  },
}
