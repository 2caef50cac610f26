// Twins-SVT (Chu et al. 2021) sec. 3.3: dense attention inside windows anchored at the origin.
import { attendRow, indices, row, setRow } from './grid.ts'
import { dot, float64, range } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly height: number
  readonly width: number
  readonly windowHeight: number
  readonly windowWidth: number
  readonly padMode?: 'exclude' | 'zeros'
  readonly scale?: number
}

/** Tokens of the window that token i is in, and how many positions of it lie outside the map. */
export function windowOf(
  i: number,
  { height, width, windowHeight, windowWidth }: Omit<Params, 'padMode' | 'scale'>,
): { tokens: number[]; missing: number } {
  const top = Math.floor(Math.floor(i / width) / windowHeight) * windowHeight
  const left = Math.floor((i % width) / windowWidth) * windowWidth
  const tokens = range(windowHeight).flatMap(y =>
    range(windowWidth)
      .filter(x => top + y < height && left + x < width)
      .map(x => (top + y) * width + left + x),
  )
  return { tokens, missing: windowHeight * windowWidth - tokens.length }
}

export const locallyGroupedAttention: Reference = {
  op: 'locallyGroupedAttention',
  required: ['query', 'key', 'value'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, params }) {
    const { query, key, value } = tensors
    const [B, H, L, D] = query!.shape as [number, number, number, number]
    const Dv = value!.shape[3]!
    const given = params as unknown as Params
    const { padMode = 'exclude', scale = 1 / Math.sqrt(D) } = given
    const out = float64([B, H, L, Dv])
    for (const [b, h, i] of indices([B, H, L]) as Iterable<[number, number, number]>) {
      const { tokens, missing } = windowOf(i, given)
      const scores = tokens.map(j => scale * dot(row(query!, b, h, i), row(key!, b, h, j)))
      // A missing position is a key of zeros: its score is 0, and so is its value.
      const zeros = padMode === 'zeros' ? range(missing).map(() => 0) : []
      const values = tokens.map(j => row(value!, b, h, j))
      setRow(out, attendRow([...scores, ...zeros], values, Dv).out, b, h, i)
    }
    return { out }
  },
}
