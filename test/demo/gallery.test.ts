import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clockFor } from '../../lib/cli/bench/clock.ts'
import { definitions } from '../../lib/core/operation.ts'
import { type Bench, makeBench } from '../../lib/demo/bench.ts'
import { showAttention } from '../../lib/demo/exhibits/shared/attention.ts'
import { findExhibits, makeGallery } from '../../lib/demo/gallery.ts'
import { type PageContent, renderPage } from '../../lib/demo/page/page.ts'
import { fitPicture } from '../../lib/demo/photo/fit.ts'
import { type Photo, readPhoto } from '../../lib/demo/photo/photo.ts'
import { decodePicture, type Picture } from '../../lib/demo/photo/picture.ts'
import { getNumThreads, scaledDotProductAttention, setNumThreads, tensor } from '../../lib/index.ts'

/** 96 x 64: grey with two red squares. */
function small(): Picture {
  const rgb = new Uint8Array(96 * 64 * 3).fill(120)
  for (const left of [16, 64]) {
    for (let y = 16; y < 32; y++) {
      for (let x = left; x < left + 16; x++) rgb.set([200, 40, 30], (y * 96 + x) * 3)
    }
  }
  return { width: 96, height: 64, rgb }
}

let photo: Photo
let folder: string
const bench: Bench = makeBench(100, clockFor(1), 0)
beforeAll(() => {
  photo = readPhoto('small', fitPicture(small()))
  folder = mkdtempSync(join(tmpdir(), 'fovea-gallery-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the list', () => {
  test('is made of the operations and the files of exhibits', async () => {
    const exhibits = await findExhibits()
    const folder = new URL('../../lib/demo/exhibits/', import.meta.url)
    const files = readdirSync(folder).filter(file => file.endsWith('.ts'))
    expect([...exhibits.keys()]).toEqual(files.map(file => file.replace('.ts', '')).toSorted())
    for (const name of exhibits.keys()) expect([...definitions.keys()]).toContain(name)
  })

  test('shows every exhibit, lists every other operation, and steps through them', async () => {
    const unshown = { name: 'zzz', summary: 'nothing', tensors: {}, outputs: {} }
    definitions.set('zzz', unshown)
    const steps: string[] = []
    const { entries, explorer } = await makeGallery(photo, bench, folder, async name => {
      steps.push(name)
    })
    definitions.delete('zzz')
    const exhibits = await findExhibits()
    expect(entries[0]!.name).toBe('scaledDotProductAttention')
    expect(steps).toEqual(entries.filter(({ part }) => part !== undefined).map(({ name }) => name))
    expect(entries.map(({ name }) => name).toSorted()).toEqual(
      [...definitions.keys(), 'zzz'].toSorted(),
    )
    for (const { name, part, rows, figures, failure } of entries) {
      expect(failure, name).toBeUndefined()
      expect(part !== undefined, name).toBe(exhibits.has(name))
      for (const row of rows) {
        expect(row.agrees, `${name}, ${row.label}`).toBe(true)
        expect(row.gflops).toBeGreaterThan(0)
        expect(row.share).toBeCloseTo(row.gflops / 100)
      }
      for (const panel of figures.flatMap(({ panels }) => panels)) {
        if (!('file' in panel)) continue
        // Of its header: picture.test.ts decodes what is encoded.
        const bytes = readFileSync(join(folder, panel.file))
        const size = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
        expect(size).toEqual([panel.width, panel.height])
      }
    }
    for (const { weights, rows, columns } of explorer) {
      const bytes = Buffer.from(weights.replace('data:image/png;base64,', ''), 'base64')
      expect(decodePicture(bytes, 'matrix').width).toBe(rows * columns)
    }
  })

  test('an exhibit that fails takes its own place only', async () => {
    const broken: Bench = {
      measure() {
        throw new Error('no clock')
      },
    }
    const { entries } = await makeGallery(photo, broken, folder, async () => {})
    for (const { part, failure } of entries)
      expect(failure).toBe(part === undefined ? undefined : 'no clock')
  })
})

describe('showAttention', () => {
  test('draws the pattern beside the map, counts what is seen, and holds the result to it', () => {
    const { coarse } = photo
    const { heads } = coarse
    const scale = 0.25
    const { rows, figures, explore } = showAttention(photo, bench, {
      tokens: coarse,
      query: heads,
      scale,
      attend: value =>
        scaledDotProductAttention(heads, heads, value, { scale, windowLeft: 2, windowRight: 0 })
          .out,
      sees: (query, key) => key <= query && key >= query - 2,
    })
    expect(rows).toMatchObject([{ label: '16 px patches', shape: '1×3×24×32', agrees: true }])
    const [first, second] = figures
    expect(first!.panels[0]).toMatchObject({ picture: { width: 24, height: 24 } })
    expect(second!.panels.map(({ label }) => label)).toEqual([
      'what it may see',
      'what it attends to',
    ])
    expect(first!.caption).toMatch(/^It sees 3 of 24 patches\./)
    const { weights } = explore![0]!
    expect(weights[5 * 24 + 4]).toBeGreaterThan(0)
    expect([weights[5 * 24 + 6], weights[5 * 24 + 2]]).toEqual([0, 0])
  })

  test('tells a result that is not that of the pattern', () => {
    const { heads } = photo.coarse
    const { rows } = showAttention(photo, bench, {
      tokens: photo.coarse,
      query: heads,
      attend: value => scaledDotProductAttention(heads, heads, value, { scale: 0.25 }).out,
      sees: (query, key) => key <= query,
    })
    expect(rows[0]!.agrees).toBe(false)
  })
})

describe('measure', () => {
  const expected = [1, 2, 3, 4, 5, 6]
  const measurement = (output: number[]) => ({
    label: 'x',
    shape: '2×3',
    flops: 1e6,
    run: () => getNumThreads(),
    output: () => tensor(Float32Array.from(output), [2, 3], { strides: [1, 2] }),
    expected: () => expected,
  })

  test('runs on one thread, and compares through strides', () => {
    const threads = getNumThreads()
    setNumThreads(2)
    const { result, row } = bench.measure(measurement([1, 4, 2, 5, 3, 6.5]))
    expect([result, getNumThreads()]).toEqual([1, 2])
    setNumThreads(threads)
    expect(row).toMatchObject({ difference: 0.5, agrees: false })
    expect(bench.measure(measurement([1, 4, 2, 5, 3, 6])).row).toMatchObject({
      difference: 0,
      agrees: true,
    })
  })

  test('a NaN is never within bounds, and a missing element is an error', () => {
    expect(bench.measure(measurement([1, 4, 2, 5, 3, Number.NaN])).row).toMatchObject({
      difference: Number.POSITIVE_INFINITY,
      agrees: false,
    })
    expect(() =>
      bench.measure({ ...measurement([1, 4, 2, 5, 3, 6]), expected: () => [1] }),
    ).toThrow('6 elements were computed, 1 expected')
  })
})

describe('the page', () => {
  const content: PageContent = {
    photo: {
      name: '<b>"&.png',
      note: 'as it is',
      address: 'data:image/png;base64,AAAA',
      width: 96,
      height: 64,
    },
    start: { x: 1, y: 2 },
    facts: [['Peak', '<1 GFLOP/s']],
    entries: [{ name: 'softmax', summary: 'a < b', paper: '', rows: [], figures: [] }],
    explorer: [
      {
        operation: 'softmax',
        label: '</script>',
        rows: 1,
        columns: 1,
        patch: 16,
        weights: 'data:,',
      },
    ],
    credit: '',
  }

  test('holds names as text, wherever they come from', () => {
    const page = renderPage(content)
    expect(page).toContain('&lt;b&gt;&quot;&amp;.png')
    expect(page).not.toContain('<b>"')
    expect(page.split('</script>').length).toBe(3)
    expect(page).toContain('&lt;1 GFLOP/s')
  })

  test('lists operations without an exhibit, and does without an explorer', () => {
    const page = renderPage({ ...content, explorer: [] })
    expect(page).toContain('<li id="softmax"><code>softmax</code>a &lt; b</li>')
    expect(page).not.toContain('<script')
  })
})
