import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../demo/bench.ts'
import type { Gallery } from '../demo/gallery.ts'
import { figures, percent, tiny } from '../demo/numbers.ts'
import type { Pause } from './bench/bestTimes.ts'
import { pause } from './interrupt.ts'
import { parseOptions, UsageError } from './options.ts'
import { type Column, errorLine, paint, printLine, printTable, right } from './output.ts'
import { startProgress } from './progress.ts'

const usage = `Usage: fovea demo [PICTURE] [--out DIR]

Shows every operation on a photograph: which parts of it a patch attends to, as pictures and a page, and
how fast that was. PICTURE is a PNG file; without one it is the photograph that comes with fovea. Pictures
of more than 262,144 pixels are averaged down to that area.

  --out DIR  where the page and its pictures go (default ./fovea-demo); made where it does not exist

The last line is the path of the page. Exit 1 where the picture cannot be read, an operation could not be
shown, or a result is not that of the float64 computation.`

const shipped = {
  path: fileURLToPath(new URL('../../assets/chelsea.png', import.meta.url)),
  name: 'Chelsea the cat',
  credit: 'Photograph by Stéfan van der Walt, CC0, as shipped by scikit-image.',
}

interface Calibration {
  /** GFLOP/s that one core reaches. */
  readonly peak: number
  readonly bench: Bench
}

async function calibrated(pause: Pause): Promise<Calibration> {
  const { clockFor } = await import('./bench/clock.ts')
  const { measureFma } = await import('./bench/peak.ts')
  const { makeBench } = await import('../demo/bench.ts')
  const peak = Math.max(...Object.values(await measureFma(1, pause)))
  return { peak, bench: makeBench(peak, clockFor(1)) }
}

/** @param calibrate what the run measures with */
export async function demo(args: string[], calibrate = calibrated): Promise<number> {
  const parsed = parseOptions(args, usage, { out: { type: 'string', default: 'fovea-demo' } })
  if (parsed === undefined) return 0
  const [path, ...more] = parsed.positionals
  if (more.length > 0) throw new UsageError(`demo takes one picture; got ${more.length + 1}`, usage)
  if (parsed.values.out === '') throw new UsageError('--out must name a directory', usage)
  const folder = resolve(parsed.values.out)

  const { decodePicture, refuseDirectory } = await import('../demo/photo/picture.ts')
  if (path !== undefined && statSync(path).isDirectory()) refuseDirectory(path)
  const picture = decodePicture(readFileSync(path ?? shipped.path), path ?? shipped.path)
  mkdirSync(folder, { recursive: true })

  const { info } = await import('../index.ts')
  const { findExhibits } = await import('../demo/gallery.ts')
  const { runDemo } = await import('../demo/runDemo.ts')
  const { chelseaSpots } = await import('../demo/photo/spots.ts')
  const machine = info()
  const progress = startProgress((await findExhibits()).size + 1, 'peak of this machine')
  try {
    await pause()
    const { peak, bench } = await calibrate(pause)
    const { gallery, page } = await runDemo({
      picture,
      name: path === undefined ? shipped.name : basename(path),
      credit: path === undefined ? shipped.credit : '',
      spots: path === undefined ? chelseaSpots : undefined,
      folder,
      bench,
      facts: [
        ['Instruction set', machine.isa],
        ['Peak of one core', `${figures(peak)} GFLOP/s`],
        ['fovea', machine.version],
      ],
      async onStep(name) {
        progress.step(name)
        await pause()
      },
    })
    progress.stop()
    print(gallery, peak)
    printLine(page)
    return report(gallery)
  } finally {
    progress.stop()
  }
}

function print({ entries }: Gallery, peak: number): void {
  const columns: Column[] = [
    { title: 'operation' },
    { title: 'of' },
    { title: 'shape' },
    { title: 'ms', ...right },
    { title: 'GFLOP/s', ...right },
    { title: 'share of peak', ...right },
    { title: 'from float64', ...right },
  ]
  const lines = entries.flatMap(({ name, rows }) =>
    rows.map(({ label, shape, milliseconds, gflops, share, difference }, index) => [
      index === 0 ? name : '',
      label,
      shape,
      figures(milliseconds),
      figures(gflops),
      percent(share),
      tiny(difference),
    ]),
  )
  printTable(columns, lines)
  const hidden = entries.filter(({ part }) => part === undefined).map(({ name }) => name)
  const notes = [
    `One thread, CPU time; shares are of the ${figures(peak)} GFLOP/s that one core reached in this run.`,
    ...(hidden.length > 0 ? [`Not shown on a photograph: ${hidden.join(', ')}.`] : []),
  ]
  printLine(paint(process.stdout, 'dim', `\n${notes.join('\n')}\n`))
}

/** Tells on stderr what went wrong; the exit code of it. */
function report({ entries }: Gallery): number {
  let code = 0
  for (const { name, rows, failure } of entries) {
    const wrong = rows
      .filter(({ agrees }) => !agrees)
      .map(({ label, difference }) => `${name}, ${label}, is ${tiny(difference)} away from float64`)
    const lines =
      failure === undefined ? wrong : [`${name} could not be shown: ${failure}`, ...wrong]
    lines.forEach(errorLine)
    if (lines.length > 0) code = 1
  }
  return code
}
