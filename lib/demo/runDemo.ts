import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { type Gallery, makeGallery } from './gallery.ts'
import { renderPage } from './page/page.ts'
import { fitPicture } from './photo/fit.ts'
import type { Spot } from './photo/grid.ts'
import { readPhoto } from './photo/photo.ts'
import { encodePicture, type Picture } from './photo/picture.ts'

/** What to show, and where to. */
export interface DemoRun {
  readonly name: string
  readonly picture: Picture
  /** Where to look from; found in the picture where left out. */
  readonly spots?: readonly Spot[] | undefined
  readonly credit: string
  readonly folder: string
  readonly bench: Bench
  readonly facts: readonly (readonly [string, string])[]
  /** Called before each exhibit, which waits for it. */
  readonly onStep: (name: string) => Promise<void>
}

/** Shows every operation on the picture, writes the pictures and the page, and returns what was shown. */
export async function runDemo(run: DemoRun): Promise<{ gallery: Gallery; page: string }> {
  const fitted = fitPicture(run.picture)
  mkdirSync(run.folder, { recursive: true })
  const photo = readPhoto(run.name, fitted, run.spots)
  const gallery = await makeGallery(photo, run.bench, run.folder, run.onStep)
  const page = join(run.folder, 'index.html')
  const html = renderPage({
    photo: {
      name: photo.name,
      note: photo.note,
      address: `data:image/png;base64,${encodePicture(photo.picture).toString('base64')}`,
      width: photo.picture.width,
      height: photo.picture.height,
    },
    start: photo.spots[0]!,
    facts: [
      ['Picture', `${run.name}, ${photo.picture.width} × ${photo.picture.height} px`],
      [
        'Patches',
        `${photo.coarse.count.toLocaleString('en-US')} of 16 px, ${photo.fine.count.toLocaleString('en-US')} of 8 px`,
      ],
      ...run.facts,
    ],
    entries: gallery.entries,
    explorer: gallery.explorer,
    credit: run.credit,
  })
  writeFileSync(page, html)
  return { gallery, page }
}
