import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { caseName, findCaseFiles } from '../../lib/cli/caseFiles.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-cases-'))
afterAll(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'b', 'deep'), { recursive: true })
mkdirSync(join(folder, 'empty'))
mkdirSync(join(folder, 'folder.safetensors'))
const files = ['a.safetensors', 'b/c.safetensors', 'b/deep/d.safetensors', 'b/other.txt']
for (const file of files) writeFileSync(join(folder, file), '')
symlinkSync(join(folder, 'a.safetensors'), join(folder, 'b', 'link.safetensors'))
symlinkSync(join(folder, 'nowhere'), join(folder, 'b', 'broken.safetensors'))

test('a directory stands for all case files in it, at any depth', () => {
  expect(findCaseFiles([folder])).toEqual({
    files: ['a', 'b/c', 'b/deep/d', 'b/link'].map(name => join(folder, `${name}.safetensors`)),
    failures: [],
  })
})

test('a file is taken whatever its name', () => {
  const path = join(folder, 'b/other.txt')
  expect(findCaseFiles([path, path]).files).toEqual([path, path])
})

test('what is not there, or holds nothing, is a failure of its own', () => {
  const paths = ['nowhere', 'empty', 'a.safetensors'].map(name => join(folder, name))
  const { files: found, failures } = findCaseFiles(paths)
  expect(found).toEqual([paths[2]])
  expect(failures).toEqual([
    { file: paths[0], message: expect.stringContaining('ENOENT') },
    { file: paths[1], message: 'holds no .safetensors file' },
  ])
})

test('a case is called after its file', () => {
  expect(['x/y.safetensors', 'y', 'y.bin', 'a.b.safetensors'].map(caseName)).toEqual([
    'y',
    'y',
    'y.bin',
    'a.b',
  ])
})
