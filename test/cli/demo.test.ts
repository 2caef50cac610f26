import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clockFor } from '../../lib/cli/bench/clock.ts'
import { demo } from '../../lib/cli/demo.ts'
import { makeBench } from '../../lib/demo/bench.ts'
import { png } from '../demo/png.ts'
import { type Ended, ended, fovea, root, start } from './command.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fovea-demo-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('on the photograph that comes with the package', () => {
  let run: Ended
  let page: string
  beforeAll(async () => {
    run = await fovea('demo', '--out', join(folder, 'cat'))
    page = readFileSync(join(folder, 'cat/index.html'), 'utf8')
  }, 300_000)

  test('prints a table, then the path of the page', () => {
    expect([run.code, run.stderr]).toEqual([0, ''])
    const lines = run.stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^operation +of +shape +ms +GFLOP\/s +share of peak +from float64$/)
    expect(lines[1]).toMatch(
      /^scaledDotProductAttention +16 px patches, three heads +1×3×504×32 +[\d.]+ +[\d.]+ +[\d.]+ % +\d\.\de-\d$/,
    )
    for (const name of ['gelu', 'globalAveragePool', 'layerNorm', 'linear', 'softmax']) {
      expect(run.stdout).toMatch(new RegExp(`^${name} `, 'm'))
    }
    expect(lines.at(-1)).toBe(join(folder, 'cat/index.html'))
    expect(run.stdout).not.toContain('\u001b')
  })

  test('the page stands on its own files', () => {
    expect(page).not.toMatch(/https?:\/\//)
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!)
    const files = addresses.filter(address => !/^(data:|#)/.test(address))
    expect(files.length).toBeGreaterThan(30)
    for (const file of files) expect(existsSync(join(folder, 'cat', file)), file).toBe(true)
    for (const anchor of addresses.filter(address => address.startsWith('#'))) {
      expect(page).toContain(`id="${anchor.slice(1)}"`)
    }
  })

  test('the page tells what is seen', () => {
    expect(page).toContain('Chelsea the cat, 448 × 288 px')
    expect(page).toMatch(/<b>From the left eye\.<\/b> [^<]*the right eye answers most/)
    expect(page).toContain('Stéfan van der Walt, CC0')
  })
})

describe('on a picture given', () => {
  test('of any size and kind', async () => {
    const file = join(folder, 'tiny & grey.png')
    writeFileSync(
      file,
      png({
        width: 5,
        height: 3,
        colorType: 0,
        bitDepth: 16,
        interlaced: true,
        pixel: x => [x * 9000],
      }),
    )
    const out = join(folder, 'tiny/of its own')
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const quick = { peak: 100, bench: makeBench(100, clockFor(1), 0) }
    const code = await demo([file, '--out', out], async () => quick)
    const [printed, told] = [stdout, stderr].map(({ mock }) => mock.calls.join(''))
    vi.restoreAllMocks()
    expect([code, told]).toEqual([0, ''])
    expect(printed!.trimEnd().split('\n').at(-1)).toBe(join(out, 'index.html'))
    const page = readFileSync(join(out, 'index.html'), 'utf8')
    expect(page).toContain('tiny &amp; grey.png: 5 × 3 px, enlarged to 64 × 64')
    expect(page).not.toContain('CC0')
  })

  const wrong = (name: string, bytes: Buffer | string): string => {
    const file = join(folder, name)
    writeFileSync(file, bytes)
    return file
  }
  test.each([
    [
      'empty',
      () => wrong('empty.png', ''),
      /empty\.png must be a PNG picture; got an empty file\./,
    ],
    ['a JPEG', () => wrong('cat.jpg', '\u00ff\u00d8'), /must be a PNG picture/],
    [
      'cut short',
      () => wrong('short.png', readFileSync(join(root, 'assets/chelsea.png')).subarray(0, 50_000)),
      /short\.png must be an undamaged PNG picture; got one that ends before its last chunk\./,
    ],
    ['a directory', () => folder, /must be a PNG picture; got a directory\./],
    ['missing', () => join(folder, 'nowhere.png'), /ENOENT.*nowhere\.png/],
  ])('%s: one line on stderr, exit 1, nothing written', async (_, make, message) => {
    const out = join(folder, 'never')
    const { code, stdout, stderr } = await fovea('demo', make(), '--out', out)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n').length).toBe(1)
    expect(existsSync(out)).toBe(false)
  })

  test('a file where the directory should be', async () => {
    const { code, stderr } = await fovea('demo', '--out', wrong('taken', 'x'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/EEXIST.*taken/)
  })
})

describe('usage', () => {
  test.each([
    [['a.png', 'b.png'], /demo takes one picture; got 2/],
    [['--out', ''], /--out must name a directory/],
    [['--colour'], /--colour/],
  ])('%j exits 2', async (args, message) => {
    const { code, stdout, stderr } = await fovea('demo', ...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
  })

  test('Ctrl-C ends it', async () => {
    const child = start(['demo', '--out', join(folder, 'interrupted')])
    setTimeout(() => child.kill('SIGINT'), 1500)
    expect((await ended(child)).code).toBe(130)
  })
})
