import { classAttentionBlock, type Tensor, tensor } from '../../index.ts'
import type { Exhibit } from '../exhibit.ts'
import { tokenAt } from '../photo/grid.ts'
import { sharpness } from '../photo/photo.ts'
import { askedBy, classFigures } from './shared/classToken.ts'
import { constant, selection } from './shared/handmade.ts'
import * as reference from './shared/reference.ts'

const normEps = 1e-6

export const exhibit: Exhibit = {
  part: 'attention',
  caption:
    'The layer around class attention: the added token is normalised with the patches, takes what it attends to, and passes through a small network of its own.',
  show(photo, bench) {
    const { coarse } = photo
    const heads = coarse.heads.shape[1]!
    const size = coarse.tokens.shape[2]!
    const width = size + coarse.count
    /** A layer whose attention reads channels [0, size) and whose small network is `hidden` times one. */
    const layer = (channels: number, factor: number, value: Tensor, hidden: number) => ({
      gamma_1: constant(channels, 1),
      gamma_2: constant(channels, hidden),
      'norm1.weight': constant(channels, 1),
      'norm1.bias': constant(channels, 0),
      'attn.q.weight': selection(channels, 0, size, factor),
      'attn.k.weight': selection(channels, 0, size),
      'attn.v.weight': value,
      'attn.proj.weight': selection(channels, 0, channels),
      'attn.proj.bias': constant(channels, 0),
      'norm2.weight': constant(channels, 1),
      'norm2.bias': constant(channels, 0),
      'mlp.fc1.weight': selection(channels, 0, channels),
      'mlp.fc1.bias': constant(channels, 0),
      'mlp.fc2.weight': selection(channels, 0, channels),
      'mlp.fc2.bias': constant(channels, 0),
    })
    const parts = (token: number, places: boolean): [patches: Tensor, added: Tensor] => {
      const { data, shape } = askedBy(coarse, token, places)
      const channels = shape[2]!
      return [
        tensor(data, [1, coarse.count, channels], { offset: channels }),
        tensor(data, [1, 1, channels]),
      ]
    }

    const plain = layer(size, 1, selection(size, 0, size), 1)
    const [patches, added] = parts(tokenAt(coarse, photo.spots[0]!), false)
    const { row } = bench.measure({
      label: '16 px patches',
      shape: `1×(1+${coarse.count})×${size}, ${heads} heads`,
      flops: 12 * size * size + 4 * (1 + coarse.count) * heads * size,
      run: () => classAttentionBlock(patches, added, plain, { heads }).out,
      output: out => out,
      expected: () => {
        const normed = reference.layerNorm(patches.data, size, normEps)
        const all = (count: number): reference.Heads => ({
          data: normed,
          shape: [1, heads, count, size / heads],
          strides: [0, size / heads, size, 1],
          offset: 0,
        })
        const tokens = all(1 + coarse.count)
        const scale = 1 / Math.sqrt(size / heads)
        const attended = reference.attention(all(1), tokens, tokens, scale)
        const c = attended.map((value, k) => patches.data[k]! + value)
        const mlp = reference.gelu(reference.layerNorm(c, size, normEps))
        return c.map((value, k) => value + mlp[k]!)
      },
    })

    // Tokens with a place written beside them have a mean of 1 / width and a length of size + 1.
    const mean = 1 / width
    const deviation = Math.sqrt((size + 1) / width - mean ** 2)
    const factor = ((sharpness * deviation ** 2) / size) * Math.sqrt(width)
    const probe = layer(width, factor, selection(width, size, width), 0)
    return {
      rows: [row],
      figures: classFigures(photo, token => {
        const { out } = classAttentionBlock(...parts(token, true), probe, { heads: 1 })
        // The norm moved every place alike: what a patch without attention gets is the least.
        const map = out.data.slice(size) as Float32Array
        const least = map.reduce((a, b) => Math.min(a, b))
        return map.map(value => value - least)
      }),
    }
  },
}
