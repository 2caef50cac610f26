/**
 * What the demo shows of one operation.
 *
 * An operation is shown by one file, lib/demo/exhibits/NAME.ts, that exports `exhibit`; the demo finds it
 * by its name and nothing else has to know of it. An operation without one is listed as not shown. The
 * smallest exhibit of an attention mechanism over tokens says how it attends and which keys a query
 * sees, and gets its row of the table, the drawing of its pattern, its maps from several patches and its
 * place in the page's explorer in return:
 *
 * ```ts
 * export const exhibit: Exhibit = {
 *   part: 'attention',
 *   caption: 'Every patch looks at the 7 x 7 patches around it.',
 *   show(photo, bench) {
 *     const { heads, rows, columns, count } = photo.coarse
 *     const spatial = (t: Tensor) =>
 *       permute(reshape(t, [1, 3, rows, columns, t.shape[3]!]), [0, 2, 3, 1, 4])
 *     const options = { kernelSize: [7, 7], scale: defaultScale(heads) }
 *     return showAttention(photo, bench, {
 *       tokens: photo.coarse,
 *       query: heads,
 *       attend(value) {
 *         const { out } = neighborhoodAttention(spatial(heads), spatial(heads), spatial(value), options)
 *         return reshape(permute(out, [0, 3, 1, 2, 4]), [1, 3, count, value.shape[3]!])
 *       },
 *       sees: (query, key) => …,
 *     })
 *   },
 * }
 * ```
 *
 * Several variants are shown one after another by `together` (see sparseAttention).
 *
 * Anything else is put together from `bench.measure` (a row of the table), exhibits/shared/draw.ts
 * (pictures) and the readings of the photograph in {@link Photo}: the tokens at two scales, the feature
 * map with named channels for gates, the windows and responses of the first layers.
 */
import type { Bench, Row } from './bench.ts'
import type { Grid } from './photo/grid.ts'
import type { Photo } from './photo/photo.ts'
import type { Picture } from './photo/picture.ts'

/** Where an operation stands on the page. */
export type Part = 'attention' | 'gate' | 'layer'

export interface Exhibit {
  /** `attention` between patches, a `gate` over a feature map, or a `layer` that others are built from. */
  readonly part: Part
  /** What a person is about to see, in a sentence or two, without formulas. */
  readonly caption: string
  show(photo: Photo, bench: Bench): Exhibition | Promise<Exhibition>
}

export interface Exhibition {
  /** What was measured, in the order of the table. */
  readonly rows: readonly Row[]
  readonly figures: readonly Figure[]
  /** Whole attention matrices for the page's explorer, where a patch can be pointed at. */
  readonly explore?: readonly Explorable[]
}

/** Panels that belong together (a pattern and its map, before and after), with one caption. */
export interface Figure {
  readonly title: string
  /** What is seen. */
  readonly caption: string
  readonly panels: readonly Panel[]
}

/** A picture, or a bar for each of a list of names (the gate of each channel, say). */
export type Panel =
  | { readonly label: string; readonly picture: Picture }
  | { readonly label: string; readonly bars: readonly Bar[] }

export interface Bar {
  readonly name: string
  /** Between 0 and 1, the full width. */
  readonly value: number
}

export interface Explorable {
  /** Told apart from others of the same operation: the head, the variant. Empty where there is one. */
  readonly label: string
  readonly grid: Grid
  /** [count, count]: row i is what patch i attends to. */
  readonly weights: Float32Array
}
