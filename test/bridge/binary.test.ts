import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string | undefined
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true })
  folder = undefined
})

/** What importing a package without its binary says, in a project that has it installed. */
function importWithout(spoil: (packageFolder: string) => void): Record<string, string> {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'fovea-binary-')))
  const packageFolder = join(folder, 'node_modules', 'fovea')
  mkdirSync(packageFolder, { recursive: true })
  for (const part of ['dist', 'package.json']) {
    cpSync(join(root, part), join(packageFolder, part), { recursive: true })
  }
  const resolver = join(root, 'node_modules', 'node-gyp-build')
  symlinkSync(resolver, join(folder, 'node_modules', 'node-gyp-build'), 'junction')
  spoil(packageFolder)
  return importError('fovea')
}

function importError(module: string): Record<string, string> {
  const program = `import('${module}').catch(({ name, message, ...details }) =>
    console.log(JSON.stringify({ name, message, ...details })))`
  const said = execFileSync(process.execPath, ['-e', program], { cwd: folder!, encoding: 'utf8' })
  return JSON.parse(said) as Record<string, string>
}

test('a missing binary tells where it was looked for and what mends it', () => {
  const error = importWithout(() => {})
  expect(error).toMatchObject({
    name: 'FoveaError',
    code: 'ERR_FOVEA_BINARY',
    operation: 'fovea',
    argument: 'the native binary',
    expected: 'be there and load',
  })
  expect(error.message).toMatch(/^fovea: the native binary must be there and load; got .+\./)
  const packageFolder = join(folder!, 'node_modules', 'fovea')
  const tuple = `${process.platform}-${process.arch}`
  expect(error.message).toContain(join(packageFolder, 'build', 'Release', '*.node'))
  expect(error.message).toContain(join(packageFolder, 'prebuilds', tuple, '*.node'))
  const relative = join('node_modules', 'fovea')
  expect(error.message).toContain(
    `npm i -D cmake-js@8 node-addon-api@8 && npx cmake-js build -d ${relative} --out ${join(relative, '.cmake')}`,
  )
})

test('a binary that does not load says why', () => {
  const error = importWithout(packageFolder => {
    const prebuilds = join(packageFolder, 'prebuilds', `${process.platform}-${process.arch}`)
    mkdirSync(prebuilds, { recursive: true })
    writeFileSync(join(prebuilds, 'fovea.node'), 'not a shared object')
  })
  expect(error.code).toBe('ERR_FOVEA_BINARY')
  expect(error.received).toContain('fovea.node')
})

test('a bundle without the binary says to keep fovea out of it', () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'fovea-bundle-')))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  cpSync(join(root, 'dist/core'), join(folder, 'server'), { recursive: true })
  const error = importError('./server/addon.js')
  expect(error.code).toBe('ERR_FOVEA_BINARY')
  expect(error.message).toMatch(/Keep fovea out of the bundle:\n +esbuild --external:fovea/)
})
