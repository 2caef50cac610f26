import { mkdirSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { definitions } from '../core/operation.ts'
import type { Bench, Row } from './bench.ts'
import type { Exhibit, Exhibition, Explorable, Figure, Panel, Part } from './exhibit.ts'
import type { Entry, ExplorerMap, PlacedFigure, PlacedPanel } from './page/page.ts'
import type { Photo } from './photo/photo.ts'
import { encodePicture } from './photo/picture.ts'

/** What the run leaves behind of all operations. */
export interface Gallery {
  readonly entries: readonly Entry[]
  readonly explorer: readonly ExplorerMap[]
}

/** The order of the page; what has no exhibit comes last. */
const partOrder: readonly (Part | 'none')[] = ['attention', 'gate', 'layer', 'none']
/** First of its part: what the other mechanisms are variations of. */
const lead = 'scaledDotProductAttention'

/** The exhibits in the folder, by the name of their operation. */
export async function findExhibits(): Promise<Map<string, Exhibit>> {
  const folder = new URL('./exhibits/', import.meta.url)
  const files = (await readdir(folder)).filter(file => /^\w+\.[jt]s$/.test(file)).toSorted()
  const load = async (file: string): Promise<[string, Exhibit]> => {
    const { exhibit } = (await import(new URL(file, folder).href)) as { exhibit: Exhibit }
    return [file.slice(0, -3), exhibit]
  }
  return new Map(await Promise.all(files.map(load)))
}

/**
 * Shows every operation that the package declares, those that have an exhibit with it. One that fails is
 * reported in its place; the others are still shown.
 * @param folder where the pictures go, under `pictures/`
 * @param onStep called before each exhibit, which waits for it
 */
export async function makeGallery(
  photo: Photo,
  bench: Bench,
  folder: string,
  onStep: (name: string) => Promise<void>,
): Promise<Gallery> {
  const exhibits = await findExhibits()
  const rank = (name: string): number => partOrder.indexOf(exhibits.get(name)?.part ?? 'none')
  const names = [...definitions.keys()].sort(
    (a, b) => rank(a) - rank(b) || Number(b === lead) - Number(a === lead) || a.localeCompare(b),
  )
  mkdirSync(join(folder, 'pictures'), { recursive: true })
  const entries: Entry[] = []
  const explorer: ExplorerMap[] = []
  for (const name of names) {
    const { summary, paper = '' } = definitions.get(name)!
    const listed = {
      name,
      summary,
      paper,
      rows: [] as readonly Row[],
      figures: [] as PlacedFigure[],
    }
    const exhibit = exhibits.get(name)
    if (exhibit === undefined) {
      entries.push(listed)
      continue
    }
    await onStep(name)
    const { part, caption } = exhibit
    try {
      const { rows, figures, explore = [] }: Exhibition = await exhibit.show(photo, bench)
      entries.push({
        ...listed,
        part,
        caption,
        rows,
        figures: figures.map((figure, index) => place(figure, name, index, folder)),
      })
      explorer.push(...explore.map(each => explorerMap(name, each)))
    } catch (error) {
      entries.push({
        ...listed,
        part,
        caption,
        failure: error instanceof Error ? error.message : String(error),
      })
    }
  }
  return { entries, explorer }
}

function place(figure: Figure, operation: string, index: number, folder: string): PlacedFigure {
  return {
    ...figure,
    panels: figure.panels.map((panel, part) =>
      placePanel(panel, `${operation}-${index + 1}${letter(figure, part)}`, folder),
    ),
  }
}

/** a, b, c… where a figure has several pictures. */
function letter({ panels }: Figure, part: number): string {
  return panels.length === 1 ? '' : String.fromCharCode(97 + part)
}

function placePanel(panel: Panel, name: string, folder: string): PlacedPanel {
  if ('bars' in panel) return panel
  const file = `pictures/${name}.png`
  writeFileSync(join(folder, file), encodePicture(panel.picture))
  return { label: panel.label, file, width: panel.picture.width, height: panel.picture.height }
}

/** Shades of grey in a matrix: as many as can be told apart in the blend, which halves the page. */
const shades = 31

/** Each row against its largest weight to another patch, as the root of the share: one grey pixel a pair. */
function explorerMap(operation: string, { label, grid, weights }: Explorable): ExplorerMap {
  const count = grid.rows * grid.columns
  const levels = Buffer.alloc(count * count)
  for (let query = 0; query < count; query++) {
    const row = weights.subarray(query * count, (query + 1) * count)
    let most = 0
    row.forEach((weight, key) => {
      if (key !== query) most = Math.max(most, weight)
    })
    row.forEach((weight, key) => {
      const share = most > 0 ? Math.sqrt(Math.min(1, Math.max(0, weight) / most)) : 0
      levels[query * count + key] = Math.round((Math.round(share * shades) * 255) / shades)
    })
  }
  const png = new PNG({ width: count, height: count })
  png.data = levels
  const bytes = PNG.sync.write(png, {
    colorType: 0,
    inputColorType: 0,
    inputHasAlpha: false,
    filterType: 0,
  })
  return {
    operation,
    label,
    rows: grid.rows,
    columns: grid.columns,
    patch: grid.patch,
    weights: `data:image/png;base64,${bytes.toString('base64')}`,
  }
}
