// One name in every layer: what exists in one exists in all.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportedOperations, filesUnder, read, root } from '../support/project.ts'

const stems = (folder: string, end: string): string[] =>
  filesUnder(folder)
    .filter(path => path.endsWith(end) && !path.slice(folder.length + 1).includes('/'))
    .map(path => basename(path, end))

describe.each(exportedOperations)('%s', op => {
  test.each([
    `lib/ops/${op}.ts`,
    `native/ops/${op}.cc`,
    `test/ops/${op}.test.ts`,
    `test/reference/${op}.ts`,
  ])('%s exists', path => {
    expect(existsSync(join(root, path)), path).toBe(true)
  })

  test('has golden cases, or its reference says why not', () => {
    const saysWhy = /^ {2}withoutGolden: '/m.test(read(`test/reference/${op}.ts`))
    expect(existsSync(join(root, `test/golden/${op}`))).toBe(!saysWhy)
  })

  test('is spelled the same wherever it is spelled', () => {
    const values = read(`lib/ops/${op}.ts`).matchAll(
      /^export (?:const|let|function|class|enum) (\w+)/gm,
    )
    expect([...values].map(([, name]) => name)).toEqual([op])
    expect(read(`lib/ops/${op}.ts`)).toContain(`name: '${op}'`)
    expect(read(`native/ops/${op}.cc`)).toMatch(new RegExp(`Register \\w+\\(\\{\\s*"${op}"`))
    expect(read(`test/reference/${op}.ts`)).toMatch(new RegExp(`export const ${op}: Reference`))
    expect(read(`test/reference/${op}.ts`)).toContain(`op: '${op}'`)
    expect(read(`test/ops/${op}.test.ts`)).toContain(`'../reference/${op}.ts'`)
  })
})

test('no layer has an operation that the others lack', () => {
  const all = [...exportedOperations].sort()
  expect(stems('lib/ops', '.ts')).toEqual(all)
  expect(stems('native/ops', '.cc')).toEqual(all)
  expect(stems('test/ops', '.test.ts')).toEqual(all)
})

test('a kernel is its contract, its code, and its instances', () => {
  const paths = filesUnder('native/kernels')
  const instances = paths.filter(path => path.endsWith('.cc'))
  expect(instances).not.toEqual([])
  for (const path of instances) {
    expect(paths).toContain(path.replace(/\.cc$/, '.h'))
    expect(paths).toContain(path.replace(/\.cc$/, '-inl.h'))
  }
})

test('lib/index.ts is sorted re-exports and nothing else', () => {
  const source = read('lib/index.ts')
  const statements = source.match(/^export (type )?(\{[^}]*\}|\*) from '\.\/[\w/.]+\.ts'$/gm) ?? []
  expect(source.replace(/\s+/g, '')).toBe(statements.join('').replace(/\s+/g, ''))
  const paths = statements.map(statement => statement.slice(statement.lastIndexOf("'./")))
  expect(paths).toEqual([...paths].sort((a, b) => a.localeCompare(b)))
})
