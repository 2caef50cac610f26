import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { fovea } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-compare-'))
afterAll(() => rmSync(folder, { recursive: true }))

function result(name: string, rows: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify({ rows }))
  return path
}

const row = (name: string, milliseconds: number, share = 0.5) => ({
  op: 'softmax',
  name,
  threads: 1,
  milliseconds,
  share,
})
const a = result('a.json', [row('x', 10), row('y', 1), row('gone', 1)])
const b = result('b.json', [row('x', 11.5, 0.43), row('y', 0.5), row('new', 1)])

test('a row more than the threshold slower is exit 1', async () => {
  const { code, stdout, stderr } = await fovea('bench', 'compare', a, b)
  expect([code, stderr]).toEqual([1, ''])
  expect(stdout).toMatch(/x +10\.00 +11\.50 +\+15\.0 % +50 % +43 % +slower/)
  expect(stdout).toMatch(/y +1\.000 +0\.5000 +-50\.0 %/)
  expect(stdout).toContain(`1 row of ${a} not in ${b}`)
  expect(stdout).toContain('1 of 2 rows are more than 10 % slower.')
})

test('within the threshold it is exit 0', async () => {
  expect((await fovea('bench', 'compare', a, b, '--threshold', '15')).code).toBe(0)
  expect((await fovea('bench', 'compare', a, a, '--threshold', '0')).code).toBe(0)
  expect((await fovea('bench', 'compare', b, a, '--threshold=99')).code).toBe(1)
})

test('--json', async () => {
  const { code, stdout } = await fovea('bench', 'compare', a, b, '--json')
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    threshold: 10,
    slower: 1,
    missing: 1,
    rows: [
      { name: 'x', slower: true, milliseconds: [10, 11.5], change: expect.closeTo(15) },
      { name: 'y', slower: false, milliseconds: [1, 0.5] },
    ],
  })
})

test('files that hold no result', async () => {
  for (const rows of [undefined, 5, [1], [{ op: 'x' }], [row('x', 0)]]) {
    const bad = result('bad.json', rows)
    const { code, stderr } = await fovea('bench', 'compare', a, bad)
    expect(code).toBe(2)
    expect(stderr).toContain('is not what fovea bench --json prints')
  }
  const other = result('other.json', [row('z', 1)])
  expect(await fovea('bench', 'compare', a, other)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no row in common'),
  })
})
