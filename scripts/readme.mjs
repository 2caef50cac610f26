// Writes README.md's table of operations from their declarations; part of `npm run format`. Needs a build.
import { readFileSync, writeFileSync } from 'node:fs'
import '../dist/index.js' // which defines them
import { definitions } from '../dist/core/operation.js'

const readme = new URL('../README.md', import.meta.url)
const head = '| operation | what it is | paper |\n| --- | --- | --- |\n'
const rows = [...definitions.values()].map(
  ({ name, summary, paper = '-' }) => `| \`${name}\` | ${summary} | ${paper} |\n`,
)
const text = readFileSync(readme, 'utf8')
const start = text.indexOf(head) + head.length
const end = text.indexOf('\n\n', start) + 1
if (start < head.length) throw new Error('README.md has no table of operations')
writeFileSync(readme, text.slice(0, start) + rows.join('') + text.slice(end))
