// Type-checks examples against the source and runs them against the build, each in a module of its own.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { compilerOptions, programOf, typeErrors } from './documentation.ts'
import { root } from './project.ts'

export interface Example {
  readonly name: string
  readonly code: string
}

/**
 * What is wrong with them, a line each: types, anything thrown, or a `console.log` whose output is not
 * what a comment behind it says (`// => ...`).
 */
export async function runExamples(examples: readonly Example[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-examples-'))
  try {
    const files = examples.map((example, n) => ({ ...example, path: join(folder, `${n}.mts`) }))
    for (const { path, code } of files) writeFileSync(path, code)
    return [...wrongTypes(files), ...(await failures(folder, files))]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type File = Example & { readonly path: string }

function wrongTypes(files: readonly File[]): string[] {
  const program = programOf(
    files.map(({ path }) => path),
    {
      ...compilerOptions,
      paths: {
        fovea: [join(root, 'lib/index.ts')],
        'fovea/promises': [join(root, 'lib/promises.ts')],
      },
      typeRoots: [join(root, 'node_modules/@types')],
      skipLibCheck: true,
      rootDir: '/',
    },
  )
  const options = program
    .getOptionsDiagnostics()
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
  // Theirs alone: the build checks the library.
  const own = files.flatMap(({ name, path }) =>
    typeErrors(program, [path]).map(error => `${name}: ${error}`),
  )
  return [...options, ...own]
}

async function failures(folder: string, files: readonly File[]): Promise<string[]> {
  const dist = new URL('../../dist/', import.meta.url).href
  const modules = files.map(({ code }, n) => {
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    })
    const linked = outputText
      .replaceAll(/(['"])fovea\/promises\1/g, `'${dist}promises.js'`)
      .replaceAll(/(['"])fovea\1/g, `'${dist}index.js'`)
    writeFileSync(join(folder, `${n}.mjs`), linked)
    return `${n}.mjs`
  })
  const runner = `
    import { format } from 'node:util'
    const results = []
    for (const file of ${JSON.stringify(modules)}) {
      const logged = []
      console.log = (...values) => logged.push(format(...values))
      try {
        await import('../' + file)
        results.push({ logged })
      } catch (error) {
        results.push({ logged, error: String(error) })
      }
    }
    process.stdout.write(JSON.stringify(results))`
  mkdirSync(join(folder, 'work'))
  writeFileSync(join(folder, 'work/run.mjs'), runner)
  const { stdout } = await promisify(execFile)(process.execPath, ['run.mjs'], {
    cwd: join(folder, 'work'),
  })
  const results = JSON.parse(stdout) as { logged: string[]; error?: string }[]
  return results.flatMap(({ logged, error }, n) => {
    const { name, code } = files[n]!
    if (error !== undefined) return [`${name}: ${error}`]
    const promised = [...code.matchAll(/console\.log\(.*\)(?: \/\/ => (.*))?$/gm)]
    return promised.flatMap(([line, want], i) =>
      want === undefined || want === logged[i] ? [] : [`${name}: ${line} printed ${logged[i]}`],
    )
  })
}
