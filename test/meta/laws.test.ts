// The laws of the code base that a compiler does not hold.
import { expect, test } from 'vitest'
import { filesUnder, read } from '../support/project.ts'

const text = /\.(ts|mjs|cc|h|json|md|yml|txt|gyp|sh)$|^\.ci\/run$/
const every = filesUnder('.').filter(path => text.test(path))
const code = every.filter(path => /^(lib|native|test|bench|scripts)\//.test(path))
const native = code.filter(path => /^native\/.*\.(cc|h)$/.test(path))

/** Lines of these files that match, as path:line. */
function found(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap(path =>
    read(path)
      .split('\n')
      .flatMap((line, n) => (pattern.test(line) ? [`${path}:${n + 1}: ${line.trim()}`] : [])),
  )
}

/** The same, comments left out. */
const inCode = (paths: readonly string[], pattern: RegExp): string[] =>
  found(paths, pattern).filter(line => !/:\d+: (\/\/|\*|\/\*)/.test(line))

test('OpenMP lives in native/core/parallel.cc alone', () => {
  const others = native.filter(path => path !== 'native/core/parallel.cc')
  expect(inCode(others, /\bomp_\w+|#pragma omp|_OPENMP/)).toEqual([])
})

test('threads are opened in two files of the core, and by the bridge and tests', () => {
  const allowed = /^native\/(core\/(lane|threads)\.cc|core\/lane\.h|bridge\/|test\/)/
  const others = native.filter(path => !allowed.test(path))
  expect(inCode(others, /std::j?thread\b|pthread_create/)).toEqual([])
})

test('the engine knows nothing of Node', () => {
  const engine = native.filter(path => !/^native\/(addon\.cc|bridge\/)/.test(path))
  expect(found(engine, /#include [<"](napi|node|js_native_api|node_api|uv|v8)/)).toEqual([])
  expect(found(engine, /#include "bridge\//)).toEqual([])
})

test('nothing below the operations includes what stands above', () => {
  const below = (folder: string, above: RegExp): string[] =>
    inCode(
      native.filter(path => path.startsWith(`native/${folder}/`)),
      above,
    )
  expect(below('core', /#include "(simd|kernels|engine|ops)\//)).toEqual([])
  expect(below('simd', /#include "(kernels|engine|ops)\//)).toEqual([])
  expect(below('kernels', /#include "(engine|ops)\//)).toEqual([])
  expect(below('engine', /#include "ops\//)).toEqual([])
  // Attention and feature maps stand side by side on products of matrices.
  for (const layer of ['kernels', 'engine']) {
    expect(below(`${layer}/matrix`, /#include "\w+\/(attention|maps)\//)).toEqual([])
    expect(below(`${layer}/attention`, /#include "\w+\/maps\//)).toEqual([])
    expect(below(`${layer}/maps`, /#include "\w+\/attention\//)).toEqual([])
  }
})

test('the façade looks one way: from the operations down to the memory of their tensors', () => {
  const seen = (folder: string, above: RegExp): string[] =>
    inCode(
      code.filter(path => path.startsWith(`lib/${folder}/`)),
      above,
    )
  expect(seen('core', /from '(\.\.\/)+(ops|io|cli|demo)\//)).toEqual([])
  expect(seen('core/call', /from '\.\.\/(operation|prepareWeights)\.ts'/)).toEqual([])
  expect(seen('core/declaration', /from '\.\.\/(call\/|operation)/)).toEqual([])
  expect(seen('core/tensors', /from '\.\.\/(call|declaration)\//)).toEqual([])
  expect(seen('ops', /from '(\.\.\/)+(io|cli|demo)\//)).toEqual([])
  expect(seen('io', /from '(\.\.\/)+(ops|cli|demo)\//)).toEqual([])
  expect(seen('demo', /from '(\.\.\/)+cli\//)).toEqual([])
})

test('no flag or pragma trades exactness for speed', () => {
  const build = every.filter(path => /CMakeLists\.txt$|\.(cc|h|mjs|gyp)$/.test(path))
  expect(found(build, /-Ofast|-ffast-math|-funsafe-math|-march=native/)).toEqual([])
  expect(found(build, /float_control|fp_contract on/i)).toEqual([])
})

test('a file does one thing: at most 400 lines', () => {
  const written = code.filter(path => path !== 'lib/promises.ts') // which the build generates
  const long = written.map(path => [path, read(path).split('\n').length - 1] as const)
  expect(long.filter(([, lines]) => lines > 400)).toEqual([])
})

test('nothing is left to be done, switched off or focused', () => {
  const others = code.filter(path => path !== 'test/meta/laws.test.ts')
  expect(found(others, /\b(TODO|FIXME|XXX|HACK)\b|^#if 0/)).toEqual([])
  expect(found(others, /\b(test|describe|it)\.(only|skip|todo)\b/)).toEqual([])
})

test('TypeScript is neither silenced nor loose', () => {
  const typescript = code.filter(path => path.endsWith('.ts') && path !== 'test/meta/laws.test.ts')
  expect(found(typescript, /@ts-(ignore|nocheck)/)).toEqual([])
  expect(
    found(typescript, /^export default/).filter(line => !line.startsWith('vitest.config')),
  ).toEqual([])
})

test('no path or host of any one machine', () => {
  const others = every.filter(path => path !== 'test/meta/laws.test.ts')
  expect(found(others, /(^|[\s"'`(=])\/(work|root|home|Users)\//)).toEqual([])
  const hosts = found(['package-lock.json'], /"resolved": "(?!https:\/\/registry\.npmjs\.org\/)/)
  expect(hosts).toEqual([])
})
