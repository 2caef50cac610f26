// What users get: the tarball that npm would publish, installed in an empty project without a network.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../support/project.ts'

interface Packed {
  readonly filename: string
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

const megabyte = 2 ** 20
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
  readonly gypfile: boolean
}
const folder = mkdtempSync(join(tmpdir(), 'fovea-package-'))
const project = join(folder, 'project')
const installed = join(project, 'node_modules/fovea')
afterAll(() => rmSync(folder, { recursive: true }))

// The test itself runs under npm, whose settings must not reach the npm that it tests.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
)
const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', env: environment, stdio: 'pipe' })

function inNode(...args: readonly string[]): {
  status: number | null
  stdout: string
  stderr: string
} {
  const result = spawnSync(process.execPath, args, {
    cwd: project,
    encoding: 'utf8',
    env: environment,
  })
  const { status, stdout, stderr } = result
  return { status, stdout, stderr }
}

/** Every package that fovea needs at run time, its dependencies' dependencies included. */
function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>
  }
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => join(root, path))
}

let packed: Packed
let tarballs: string[]
beforeAll(() => {
  const args = ['pack', root, ...dependencies(), '--json', '--ignore-scripts', '--offline']
  const all = JSON.parse(run('npm', args, folder)) as Packed[]
  packed = all[0]!
  tarballs = all.map(({ filename }) => join(folder, filename))
})

describe('the tarball', () => {
  let paths: string[]
  beforeAll(() => {
    paths = packed.files.map(({ path }) => path)
  })

  test('ships what is needed to run, and to build where there is no binary', () => {
    for (const path of [
      'package.json',
      'README.md',
      'LICENSE',
      'CMakeLists.txt',
      'native/addon.cc',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/promises.js',
      'dist/promises.d.ts',
      'dist/cli/main.js',
    ]) {
      expect(paths).toContain(path)
    }
  })

  test('ships nothing else', () => {
    const shipped =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CMakeLists\.txt)$|^(dist\/.*\.(js|d\.ts)|native\/.*\.(cc|h|txt)|prebuilds\/.*\.(node|so\.1)|assets\/.*|licenses\/.*)$/
    expect(paths.filter(path => !shipped.test(path))).toEqual([])
    expect(paths.filter(path => /test|golden|tsbuildinfo|\.map$|binding\.gyp/i.test(path))).toEqual(
      [],
    )
  })

  test('stays small: 12 MB unpacked, one binary included where it has none yet', () => {
    const hasBinary = paths.some(path => path.endsWith('.node'))
    const binary = hasBinary ? 0 : statSync(join(root, 'build/Release/fovea.node')).size
    expect(packed.unpackedSize + binary).toBeLessThan(12 * megabyte)
  })

  test('runs nothing when it is installed', () => {
    const { scripts, gypfile } = manifest
    const hooks = /^(pre|post)?(install|prepare|prepublish|publish|pack)$/
    expect(Object.keys(scripts).filter(name => hooks.test(name))).toEqual([])
    // Without it npm would take the clone's binding.gyp for an install script of its own making.
    expect(gypfile).toBe(false)
  })

  test('satisfies publint', async () => {
    const tarball = new Uint8Array(readFileSync(tarballs[0]!)).buffer
    const { messages, pkg } = await publint({ strict: true, pack: { tarball } })
    expect(messages.map(message => formatMessage(message, pkg))).toEqual([])
  })
})

describe('in an empty project', () => {
  beforeAll(() => {
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...tarballs], project)
  })

  test('a missing binary says where it was looked for and how to make it', () => {
    rmSync(join(installed, 'prebuilds'), { recursive: true, force: true })
    const { status, stderr } = inNode('--input-type=module', '-e', "import 'fovea'")
    expect(status).toBe(1)
    expect(stderr).toContain('ERR_FOVEA_BINARY')
    expect(stderr).toContain(join(installed, 'prebuilds', `${process.platform}-${process.arch}`))
    expect(stderr).toContain('npx cmake-js build -d node_modules/fovea')
  })

  describe('with a binary', () => {
    beforeAll(() => {
      const target = join(installed, 'prebuilds', `${process.platform}-${process.arch}`)
      mkdirSync(target, { recursive: true })
      cpSync(join(root, 'build/Release/fovea.node'), join(target, 'fovea.node'))
    })
    const use = `
      const x = tensor(Float32Array.of(0, 0, 0, 0), [2, 2])
      if (softmax(x).out.data.join() !== '0.5,0.5,0.5,0.5') throw new Error('wrong')`

    test('import', () => {
      const code = `
        import { softmax, tensor } from 'fovea'
        import * as promises from 'fovea/promises'
        ${use}
        const { out } = await promises.softmax(x)
        console.log(out.data.length)`
      const result = inNode('--input-type=module', '-e', code)
      expect(result).toEqual({ status: 0, stdout: '4\n', stderr: '' })
    })

    test('require, in the same process the same module', () => {
      const code = `
        const { softmax, tensor } = require('fovea')
        ${use}
        import('fovea').then(module => console.log(module.softmax === softmax))`
      const result = inNode('--no-warnings', '--input-type=commonjs', '-e', code)
      expect(result).toEqual({ status: 0, stdout: 'true\n', stderr: '' })
    })

    test('a Worker', () => {
      const code = `
        import { Worker } from 'node:worker_threads'
        const code = "import('fovea').then(({ info }) => console.log(typeof info().isa))"
        new Worker(code, { eval: true })`
      const result = inNode('--input-type=module', '-e', code)
      expect(result).toEqual({ status: 0, stdout: 'string\n', stderr: '' })
    })

    test('npx fovea', () => {
      const output = run('npx', ['--no-install', 'fovea', 'info', '--json'], project)
      expect(JSON.parse(output)).toMatchObject({ version: manifest.version })
    })

    test('types, for ESM and CommonJS', () => {
      const consumer = `
        import { softmax, tensor } from 'fovea'
        import { softmax as later } from 'fovea/promises'
        const x = tensor(new Float32Array(4), [2, 2])
        const data: Float32Array<ArrayBuffer> = softmax(x).out.data
        const pending: Promise<{ readonly out: { readonly data: Float32Array } }> = later(x)
        // @ts-expect-error an output that was not asked for
        softmax(x).lse
        export { data, pending }`
      writeFileSync(join(project, 'consumer.mts'), consumer)
      writeFileSync(join(project, 'consumer.cts'), consumer)
      const modules = join(root, 'node_modules')
      const files = ['consumer.mts', 'consumer.cts'].map(name => join(project, name))
      const program = ts.createProgram(files, {
        noEmit: true,
        strict: true,
        module: ts.ModuleKind.NodeNext,
        target: ts.ScriptTarget.ES2023,
        lib: ['lib.es2023.d.ts'],
        types: ['node'],
        typeRoots: [join(modules, '@types')],
      })
      // The consumers and everything of ours; checking the declarations of Node takes seconds.
      const ours = program
        .getSourceFiles()
        .filter(({ fileName }) => !fileName.startsWith(`${modules}/`))
      expect(ours.length).toBeGreaterThan(50)
      const wrong = [
        ...program.getOptionsDiagnostics(),
        ...ours.flatMap(file => [
          ...program.getSyntacticDiagnostics(file),
          ...program.getSemanticDiagnostics(file),
        ]),
      ].map(({ file, messageText }) => [file?.fileName, messageText])
      expect(wrong).toEqual([])
    })
  })
})
