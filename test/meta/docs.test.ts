// Every public name explains itself where an editor shows it, and its examples run.
import { expect, test } from 'vitest'
import { definitions } from '../../lib/core/operation.ts'
import '../../lib/index.ts' // which defines them
import {
  compilerOptions,
  documented,
  examplesOf,
  filesOf,
  programOf,
  typeErrors,
} from '../support/documentation.ts'
import { exportedOperations, read } from '../support/project.ts'
import { runExamples } from '../support/runExamples.ts'

const all = documented('lib/index.ts')
const functions = all.filter(({ parameters }) => parameters !== undefined)

test.each(all)('$name has a docstring', ({ text }) => {
  expect(text.length).toBeGreaterThan(20)
})

test.each(functions)('$name shows itself in use', ({ examples }) => {
  expect(examples.length).toBeGreaterThan(0)
})

test.each(functions.filter(({ parameters }) => parameters! > 0))(
  '$name says what it throws',
  ({ tags }) => {
    expect(tags).toContain('throws')
  },
)

test.each([...definitions.values()])('$name names its paper', ({ name, paper }) => {
  const { text } = all.find(entry => entry.name === name)!
  // Authors and year; where in the paper is the definition's to say.
  if (paper !== undefined) expect(text).toContain(/^.*?\d{4}/.exec(paper)![0])
})

test('every example in docstrings and pages runs, its types included', async () => {
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']
  const examples = [
    ...all.flatMap(({ name, examples }) => examples.map(code => ({ name, code }))),
    ...pages.flatMap(page => examplesOf(read(page)).map(code => ({ name: page, code }))),
  ]
  expect(examples.length).toBeGreaterThan(0)
  expect(await runExamples(examples)).toEqual([])
})

test('the files of the guide to a mechanism fit the tree', () => {
  const files = filesOf(read('CONTRIBUTING.md'))
  expect(files.size).toBe(4)
  const paths = [...files.keys()]
  expect(typeErrors(programOf(paths, compilerOptions, files), paths)).toEqual([])
})

test('README lists every operation, with its source (npm run format writes it)', () => {
  const rows = [...read('README.md').matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$/gm)]
  const listed = rows.filter(([, name]) => definitions.has(name!))
  expect(listed.map(([, name]) => name)).toEqual([...exportedOperations])
  for (const [, name, summary, paper] of listed) {
    const definition = definitions.get(name!)!
    expect([name, summary, paper]).toEqual([name, definition.summary, definition.paper ?? '-'])
  }
})
