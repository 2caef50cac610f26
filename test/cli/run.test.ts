import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readSafetensors } from '../../lib/index.ts'
import { changedCase, goldenCase, request } from './cases.ts'
import { fovea } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-run-'))
afterAll(() => rmSync(folder, { recursive: true }))
const attention = goldenCase('scaledDotProductAttention')
const softmax = goldenCase('softmax')
let made = 0
const out = () => join(folder, `out${made++}`)

test('writes every output under its plain name', async () => {
  const inputs = join(folder, 'inputs', 'deep')
  mkdirSync(inputs, { recursive: true })
  changedCase(attention, join(inputs, 'ask.safetensors'), request)
  copyFileSync(softmax, join(inputs, 'soft.safetensors'))
  const directory = join(out(), 'made', 'here')
  const { code, stdout, stderr } = await fovea('run', join(folder, 'inputs'), '--out', directory)
  expect([code, stdout, stderr]).toEqual([0, `2 written to ${directory}\n`, ''])
  expect(readdirSync(directory)).toEqual(['ask.safetensors', 'soft.safetensors'])
  const { tensors } = readSafetensors(join(directory, 'ask.safetensors'))
  const { tensors: wanted } = readSafetensors(attention)
  expect(Object.keys(tensors)).toEqual(['out', 'lse'])
  for (const name of ['out', 'lse']) {
    const { data, shape, dtype } = tensors[name]!
    const want = wanted[`expected.${name}`]!
    expect([dtype, shape]).toEqual(['float32', want.shape])
    for (const [i, value] of [...want.data].entries()) expect(data[i]).toBeCloseTo(Number(value), 4)
  }
})

test('parameters with defaults may be missing', async () => {
  const bare = changedCase(attention, join(folder, 'bare.safetensors'), (tensors, metadata) => {
    request(tensors, metadata)
    delete metadata.params
  })
  const directory = out()
  expect((await fovea('run', bare, '--out', directory)).code).toBe(0)
  expect(existsSync(join(directory, 'bare.safetensors'))).toBe(true)
})

test('a failure is a line, and the others are written', async () => {
  const bad = changedCase(softmax, join(folder, 'bad.safetensors'), (_, metadata) => {
    metadata.op = 'nothing'
  })
  const directory = out()
  const nowhere = join(folder, 'nowhere')
  const { code, stdout, stderr } = await fovea('run', bad, softmax, nowhere, '--out', directory)
  expect(code).toBe(1)
  expect(stdout).toBe(`1 written to ${directory}\n`)
  expect(stderr.split('\n')).toEqual([
    expect.stringContaining(nowhere),
    `fovea: ${bad}: no operation is called nothing`,
    '',
  ])
  expect(readdirSync(directory)).toHaveLength(1)
})

test('two inputs of the same name: nothing runs', async () => {
  const twin = join(folder, 'twin')
  mkdirSync(twin)
  copyFileSync(softmax, join(twin, 'x.safetensors'))
  copyFileSync(softmax, join(folder, 'x.safetensors'))
  const directory = out()
  const { code, stdout, stderr } = await fovea(
    'run',
    join(folder, 'x.safetensors'),
    twin,
    '--out',
    directory,
  )
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('have the same name')
  expect(existsSync(directory)).toBe(false)
})

test('an input is never replaced', async () => {
  const own = join(folder, 'own')
  mkdirSync(own)
  copyFileSync(softmax, join(own, 'x.safetensors'))
  const { code, stderr } = await fovea('run', own, '--out', own)
  expect(code).toBe(2)
  expect(stderr).toContain('would replace the input')
  expect(Object.keys(readSafetensors(join(own, 'x.safetensors')).tensors)).toContain('x')
})

test('a folder that cannot be made', async () => {
  const { code, stderr } = await fovea('run', softmax, '--out', join(softmax, 'x'))
  expect(code).toBe(1)
  expect(stderr).toMatch(/^fovea: ENOTDIR/)
})
