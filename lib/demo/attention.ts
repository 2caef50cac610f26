import { type Tensor, tensor } from '../index.ts'
import type { Bench, Row } from './bench.ts'
import { drawAttention, drawPattern, drawVisible } from './draw.ts'
import type { Exhibition, Explorable, Figure } from './exhibit.ts'
import { count } from './numbers.ts'
import { type Photo, type Scale, type Spot, sharpness, tokenAt } from './photo.ts'
import * as reference from './reference.ts'
import { drawnSpots } from './spots.ts'

/** Self-attention of the photograph's tokens by some mechanism. */
export interface Mechanism {
  /** Tells this row of the table from others of the operation. */
  readonly label?: string
  readonly tokens: Scale
  /** [1, H, L, D]; the keys too, unless `key` says otherwise. */
  readonly query: Tensor
  readonly key?: Tensor
  /** Factor of the scores, as `attend` uses it; {@link sharpness} over D where left out. */
  readonly scale?: number
  /** Attends with these values, [1, H, L, Dv], and gives the output in the same order of axes. */
  readonly attend: (value: Tensor) => Tensor
  /** The pattern; every key where left out. */
  readonly sees?: (query: number, key: number, head: number) => boolean
  /** What the mechanism adds up where it is not softmax(scale q.k) over the pattern: [H, L, Dv] in float64. */
  readonly expected?: (value: Tensor) => Float64Array
}

/** The factor that makes the product of two normalised tokens {@link sharpness} times a cosine. */
export function defaultScale({ shape }: Tensor): number {
  return sharpness / shape[3]!
}

/** A mechanism's row, its pattern, its maps from each spot, and its matrix for the explorer. */
export function showAttention(photo: Photo, bench: Bench, mechanism: Mechanism): Exhibition {
  const { tokens, query, sees } = mechanism
  const weights = attentionMatrix(mechanism)
  const figures: Figure[] = photo.spots.slice(0, drawnSpots).map(spot => {
    const from = tokenAt(tokens, spot)
    const row = weights.subarray(from * tokens.count, (from + 1) * tokens.count)
    const map = {
      label: 'what it attends to',
      picture: drawAttention(photo.picture, tokens, row, from),
    }
    if (sees === undefined)
      return {
        title: `From ${spot.name}`,
        caption: tellAttention(photo, tokens, row, spot),
        panels: [map],
      }
    const visible = seenByAnyHead(mechanism, from)
    const pattern = {
      label: 'what it may see',
      picture: drawVisible(photo.picture, tokens, key => visible[key]!, from),
    }
    const seen = visible.filter(Boolean).length
    return {
      title: `From ${spot.name}`,
      caption: `It sees ${count(seen)} of ${count(tokens.count)} patches. ${tellAttention(photo, tokens, row, spot)}`,
      panels: [pattern, map],
    }
  })
  if (sees !== undefined) {
    const anyHead = (from: number, key: number): boolean =>
      Array.from({ length: query.shape[1]! }, (_, head) => head).some(head => sees(from, key, head))
    figures.unshift({
      title: 'The pattern',
      caption:
        'Each line is a query, each column a key, both in reading order; light where the query sees the key.',
      panels: [{ label: 'queries × keys', picture: drawPattern(tokens.count, anyHead) }],
    })
  }
  return {
    rows: [measureAttention(bench, mechanism)],
    figures,
    explore: [{ label: '', grid: tokens, weights }],
  }
}

/** The row of one mechanism: tokens as queries, keys and values, against float64. */
export function measureAttention(
  bench: Bench,
  mechanism: Mechanism,
  value: Tensor = mechanism.query,
): Row {
  const { query, key = query, attend, sees, label, tokens } = mechanism
  const [, heads, length, size] = query.shape as [number, number, number, number]
  const valueSize = value.shape[3]!
  const scale = mechanism.scale ?? defaultScale(query)
  let pairs = heads * length * key.shape[2]!
  if (sees !== undefined) {
    pairs = 0
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < length; i++)
        for (let j = 0; j < key.shape[2]!; j++) if (sees(i, j, head)) pairs++
    }
  }
  const { row } = bench.measure({
    label: label ?? `${tokens.patch} px patches`,
    shape: `1×${heads}×${length}×${size}${valueSize === size ? '' : ` → ${valueSize}`}`,
    flops: 2 * pairs * (size + valueSize),
    run: () => attend(value),
    output: out => out,
    expected: () =>
      mechanism.expected?.(value) ?? reference.attention(query, key, value, scale, sees),
  })
  return row
}

/**
 * All attention weights, [L, L], averaged over the heads: the engine never writes them down, but attending
 * over values that are the rows of the identity gives them as its output.
 */
export function attentionMatrix({ query, tokens, attend }: Mechanism): Float32Array {
  const [, heads] = query.shape as [number, number, number, number]
  return meanOfHeads(attend(identity(tokens.count, heads)))
}

/** One query's attention by each head, [H][Lk], from a call with that query alone. */
export function attentionOf(
  query: Tensor,
  keys: number,
  attend: (query: Tensor, value: Tensor) => Tensor,
): Float32Array[] {
  const heads = query.shape[1]!
  const { data, strides, offset } = attend(query, identity(keys, heads))
  return Array.from({ length: heads }, (_, head) =>
    Float32Array.from(
      { length: keys },
      (_, key) => data[offset + head * strides[1]! + key * strides[3]!]!,
    ),
  )
}

/** The identity as values for every head, one matrix in memory: [1, H, L, L]. */
export function identity(length: number, heads: number): Tensor {
  const rows = new Float32Array(length * length)
  for (let i = 0; i < length; i++) rows[i * length + i] = 1
  return tensor(rows, [1, heads, length, length], { strides: [0, 0, length, 1] })
}

/** [1, H, L, L] to [L, L]. */
export function meanOfHeads({ data, shape, strides, offset }: Tensor): Float32Array {
  const [, heads, length, keys] = shape as [number, number, number, number]
  const mean = new Float32Array(length * keys)
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < length; i++) {
      const from = offset + head * strides[1]! + i * strides[2]!
      for (let j = 0; j < keys; j++) mean[i * keys + j]! += data[from + j * strides[3]!]! / heads
    }
  }
  return mean
}

/** One matrix of the explorer for each head of an output on the identity, [1, H, L, L]. */
export function explorePerHead(
  { data, shape, strides, offset }: Tensor,
  grid: Scale,
  names: readonly string[],
): Explorable[] {
  return names.map((label, head) => {
    const one = {
      data,
      shape: [1, 1, ...shape.slice(2)],
      strides,
      offset: offset + head * strides[1]!,
      dtype: 'float32',
    }
    return { label, grid, weights: meanOfHeads(one) }
  })
}

/** What a map shows, in words and numbers: how wide the attention is spread, and which other spot gets most. */
export function tellAttention(
  photo: Photo,
  grid: Scale,
  weights: ArrayLike<number>,
  from: Spot,
): string {
  const total = Array.from(weights).reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return 'It attends to nothing.'
  let held = 0
  let patches = 0
  for (const weight of Array.from(weights).sort((a, b) => b - a)) {
    held += weight
    patches++
    if (held >= total / 2) break
  }
  const half =
    patches === 1 ? 'One patch holds' : `${count(patches)} of ${count(grid.count)} patches hold`
  const answer = photo.spots
    .filter(spot => spot !== from)
    .map(spot => ({ spot, times: (strongestNear(grid, weights, spot) / total) * grid.count }))
    .reduce((best, each) => (each.times > best.times ? each : best))
  const answered =
    answer.times >= 2
      ? ` Of the other places, ${answer.spot.name} answers most: ${count(Math.round(answer.times))} times an even share.`
      : ''
  return `${half} half of the attention.${answered}`
}

/** Within 24 px of a place: a spot need not lie in the middle of its patch. */
function strongestNear(grid: Scale, weights: ArrayLike<number>, { x, y }: Spot): number {
  let most = 0
  for (let token = 0; token < grid.count; token++) {
    const dx = ((token % grid.columns) + 0.5) * grid.patch - x
    const dy = (Math.floor(token / grid.columns) + 0.5) * grid.patch - y
    if (Math.abs(dx) <= 24 && Math.abs(dy) <= 24) most = Math.max(most, weights[token]!)
  }
  return most
}

function seenByAnyHead({ tokens, query, sees }: Mechanism, from: number): boolean[] {
  return Array.from({ length: tokens.count }, (_, key) => {
    for (let head = 0; head < query.shape[1]!; head++) if (sees!(from, key, head)) return true
    return false
  })
}
