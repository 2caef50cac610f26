import type { Tensor } from '../../../index.ts'
import type { Bench, Row } from '../../bench.ts'
import type { Exhibition, Figure, Panel } from '../../exhibit.ts'
import { count } from '../../numbers.ts'
import { type Scale, tokenAt } from '../../photo/grid.ts'
import { type Photo, sharpness } from '../../photo/photo.ts'
import { drawAttention, drawPattern, drawVisible } from './draw.ts'
import * as reference from './reference.ts'
import { tellAttention } from './tell.ts'
import { attentionMatrix } from './weights.ts'

/** Self-attention of the photograph's tokens by some mechanism. */
export interface Mechanism {
  /** Tells variants of one operation from each other: `strided`. */
  readonly label?: string
  /** From how many places it is drawn; 3 where left out. */
  readonly spots?: number
  readonly tokens: Scale
  /** [1, H, L, D]; the keys too, unless `key` says otherwise. */
  readonly query: Tensor
  readonly key?: Tensor
  /** Factor of the scores, as `attend` uses it; {@link sharpness} over D where left out. */
  readonly scale?: number
  /** Attends with these values, [1, H, L, Dv], and gives the output in the same order of axes. */
  readonly attend: (value: Tensor) => Tensor
  /** [L, L], where the mechanism says itself what each query attends to; found by attending where left out. */
  readonly weights?: Float32Array
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
  const { tokens, query, sees, label = '', spots = 3 } = mechanism
  const weights =
    mechanism.weights ?? attentionMatrix(tokens.count, query.shape[1]!, mechanism.attend)
  const figures = photo.spots.slice(0, spots).map((spot, index): Figure => {
    const from = tokenAt(tokens, spot)
    const row = weights.subarray(from * tokens.count, (from + 1) * tokens.count)
    const panels: Panel[] = []
    const captions: string[] = []
    if (sees !== undefined) {
      const seen = Array.from({ length: tokens.count }, (_, key) =>
        seesInAnyHead(mechanism, from, key),
      )
      if (index === 0) {
        const pattern = drawPattern(tokens.count, (i, j) => seesInAnyHead(mechanism, i, j))
        panels.push({ label: 'the pattern: a line a query, a column a key', picture: pattern })
      }
      const visible = drawVisible(photo.picture, tokens, key => seen[key]!, from)
      panels.push({ label: 'what it may see', picture: visible })
      captions.push(
        `It sees ${count(seen.filter(Boolean).length)} of ${count(tokens.count)} patches.`,
      )
    }
    const map = drawAttention(photo.picture, tokens, row, from)
    panels.push({ label: 'what it attends to', picture: map })
    captions.push(tellAttention(photo, tokens, row, spot))
    const title = `From ${spot.name}${label === '' ? '' : `, ${label}`}`
    return { title, caption: captions.join(' '), panels }
  })
  return {
    rows: [measureAttention(bench, mechanism)],
    figures,
    explore: [{ label, grid: tokens, weights }],
  }
}

/** Variants of one operation, one after another. */
export function together(...exhibitions: readonly Exhibition[]): Exhibition {
  return {
    rows: exhibitions.flatMap(({ rows }) => rows),
    figures: exhibitions.flatMap(({ figures }) => figures),
    explore: exhibitions.flatMap(({ explore = [] }) => explore),
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
    label: `${tokens.patch} px patches${label === undefined ? '' : `, ${label}`}`,
    shape: `1×${heads}×${length}×${size}${valueSize === size ? '' : ` → ${valueSize}`}`,
    flops: 2 * pairs * (size + valueSize),
    run: () => attend(value),
    output: out => out,
    expected: () =>
      mechanism.expected?.(value) ?? reference.attention(query, key, value, scale, sees),
  })
  return row
}

function seesInAnyHead({ query, sees }: Mechanism, from: number, key: number): boolean {
  for (let head = 0; head < query.shape[1]!; head++) if (sees!(from, key, head)) return true
  return false
}
