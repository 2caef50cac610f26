import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type FileTensor, readSafetensors } from '../../lib/index.ts'
import { changedCase, golden, goldenCase, request } from './cases.ts'
import { fovea, interrupted } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-verify-'))
afterAll(() => rmSync(folder, { recursive: true }))
const softmax = goldenCase('softmax')
const attention = goldenCase('scaledDotProductAttention')
let made = 0
const path = () => join(folder, `case${made++}.safetensors`)

async function verifyJson(...args: string[]) {
  const { code, stdout, stderr } = await fovea('verify', '--json', ...args)
  expect(stderr).toBe('')
  return { code, ...JSON.parse(stdout) }
}

test('a table of the operations', async () => {
  const { code, stdout, stderr } = await fovea('verify', join(golden, 'softmax'), attention)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^op +cases +passed +worst error \/ tolerance$/m)
  expect(stdout).toMatch(/^scaledDotProductAttention +1 +1 +0\.\d+$/m)
  expect(stdout).toMatch(/^softmax +8 +8 +0\.\d+$/m)
})

test('--json is the whole of stdout', async () => {
  const result = await verifyJson(join(golden, 'softmax'), attention)
  expect(result).toEqual({
    code: 0,
    ops: [
      { op: 'scaledDotProductAttention', cases: 1, passed: 1, worst: expect.any(Number) },
      { op: 'softmax', cases: 8, passed: 8, worst: expect.any(Number) },
    ],
    failures: [],
  })
})

test('a wrong element is found', async () => {
  const bad = changedCase(softmax, path(), ({ 'expected.out': out }) => {
    out!.data[5] = 0.75
    out!.data[1] = Number(out!.data[1]) + 1e-3
  })
  const { code, ops, failures } = await verifyJson(bad, softmax)
  expect(code).toBe(1)
  expect(ops).toEqual([{ op: 'softmax', cases: 2, passed: 1, worst: failures[0].ratio }])
  expect(failures).toEqual([
    {
      file: bad,
      output: 'out',
      index: 5,
      got: expect.any(Number),
      want: 0.75,
      ratio: expect.any(Number),
      message: expect.stringMatching(/^out\[.*\] is .*, expected 0\.75: .* times the tolerance$/),
    },
  ])
  expect(failures[0].ratio).toBeGreaterThan(1000)
  const { stdout } = await fovea('verify', bad)
  expect(stdout).toMatch(new RegExp(`^FAILED ${bad}: out\\[`, 'm'))
})

test('tolerances by output count instead of those of the file', async () => {
  const loose = changedCase(softmax, path(), ({ 'expected.out': out }, metadata) => {
    out!.data[0] = Number(out!.data[0]) + 1e-3
    metadata.rtol = metadata.atol = '0'
    metadata.tolerances = '{"out": {"rtol": 0, "atol": 0.1}}'
  })
  expect((await verifyJson(loose)).code).toBe(0)
  const strict = changedCase(loose, path(), (_, metadata) => {
    metadata.rtol = metadata.atol = '1'
    metadata.tolerances = '{"out": {"rtol": 0, "atol": 1e-9}}'
  })
  expect((await verifyJson(strict)).code).toBe(1)
  const other = changedCase(loose, path(), (_, metadata) => {
    metadata.rtol = metadata.atol = '1'
    metadata.tolerances = '{"lse": {"rtol": 0, "atol": 0}}'
  })
  expect((await verifyJson(other)).code).toBe(0)
})

test('infinities and NaN', async () => {
  const { POSITIVE_INFINITY: inf, NaN: nan } = Number
  const wanted = (value: number, atol: string) =>
    changedCase(softmax, path(), ({ 'expected.out': out }, metadata) => {
      out!.data[0] = value
      delete metadata.tolerances
      metadata.atol = atol
    })
  const { failures } = await verifyJson(wanted(inf, '1e30'), wanted(nan, '1e30'))
  expect(failures).toMatchObject([
    { index: 0, want: 'Infinity', ratio: 'Infinity' },
    { index: 0, want: 'NaN', ratio: 'Infinity' },
  ])
})

test('aux tensors are no inputs, weights may be of half width', async () => {
  const aux = changedCase(softmax, path(), tensors => {
    tensors['aux.more'] = tensors.x!
  })
  const half = changedCase(goldenCase('layerNorm'), path(), (tensors, metadata) => {
    const { shape } = tensors['weights.weight']!
    for (const [name, bits] of [
      ['weights.weight', 0x3f80],
      ['weights.bias', 0],
    ] as const) {
      const data = new Uint16Array(shape[0]!).fill(bits)
      tensors[name] = { ...tensors[name]!, data, dtype: 'bfloat16' }
    }
    metadata.atol = '100'
    delete metadata.tolerances
  })
  expect(await verifyJson(aux, half)).toMatchObject({ code: 0, failures: [] })
})

/** The case of softmax with other metadata and tensors; undefined takes one away. */
function softmaxWith(metadata: Changes<string>, tensors: Changes<FileTensor> = {}): string {
  return changedCase(softmax, path(), (oldTensors, oldMetadata) => {
    apply(oldMetadata, metadata)
    apply(oldTensors, tensors)
  })
}

type Changes<T> = Readonly<Record<string, T | undefined>>

function apply<T>(record: Record<string, T>, changes: Changes<T>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete record[name]
    else record[name] = value
  }
}

describe('each of these is a failure of its file, and the others still run', () => {
  const unreadable = join(folder, 'unreadable.safetensors')
  writeFileSync(unreadable, 'not a file')
  const { x, 'expected.out': out } = readSafetensors(softmax).tensors as Record<string, FileTensor>
  const count = out!.data.length
  const double: FileTensor = { ...x!, data: new Float64Array(count), dtype: 'float64' }
  const coded: FileTensor = { ...out!, data: new Uint8Array(count), dtype: 'float8_e4m3' }
  const flat: FileTensor = { ...out!, shape: [count], strides: [1] }
  const no = undefined
  const cases: [string, string, RegExp][] = [
    ['no file', join(folder, 'nowhere'), /ENOENT/],
    ['a damaged file', unreadable, /whole header|at most 100000000/],
    ['no op', softmaxWith({ op: no }), /must name an op/],
    [
      'an unknown op',
      softmaxWith({ op: 'sofmax' }),
      /no operation is called sofmax; is it softmax\?/,
    ],
    ['a request', changedCase(softmax, path(), request), /no expected\.\* tensor/],
    ['no tolerance', softmaxWith({ rtol: no, tolerances: no }), /give rtol as a number/],
    [
      'a negative tolerance',
      softmaxWith({ atol: '-1', tolerances: no }),
      /atol as a number >= 0; got -1/,
    ],
    ['params that are no JSON', softmaxWith({ params: '{' }), /params must be JSON/],
    ['params that are no object', softmaxWith({ params: '[]' }), /params must be a JSON object/],
    ['an unknown parameter', softmaxWith({ params: '{"axis":1}' }), /axis/],
    ['a reserved name', softmaxWith({ params: '{"threads":1}' }), /no tensor or parameter threads/],
    ['an unknown tensor', softmaxWith({}, { y: x }), /softmax: y /],
    ['weights it cannot have', softmaxWith({}, { 'weights.w': x }), /softmax: weights\.w /],
    ['a missing tensor', softmaxWith({}, { x: no }), /softmax: x must/],
    ['a tensor of another type', softmaxWith({}, { x: double }), /softmax: x must/],
    ['an unknown output', softmaxWith({}, { 'expected.lse': x }), /no output lse/],
    ['a name of objects', softmaxWith({}, { 'expected.toString': x }), /no output toString/],
    [
      'another shape',
      softmaxWith({}, { 'expected.out': flat }),
      /out has shape \[.*\], expected \[/,
    ],
    [
      'coded elements',
      softmaxWith({}, { 'expected.out': coded }),
      /float8_e4m3 cannot be compared/,
    ],
  ]
  test('all at once', async () => {
    const { code, ops, failures } = await verifyJson(...cases.map(([, file]) => file), softmax)
    expect(code).toBe(1)
    expect(ops.find(({ op }: { op: string }) => op === 'softmax').passed).toBe(1)
    expect(failures).toHaveLength(cases.length)
    for (const [what, file, message] of cases) {
      const failure = failures.find((candidate: { file: string }) => candidate.file === file)
      expect(failure?.message, what).toMatch(message)
      expect(failure, what).toMatchObject({ index: null, got: null, want: null, ratio: null })
    }
  })
})

test('Ctrl-C ends it with 130', async () => {
  const { code, stdout } = await interrupted('verify', ...Array(30).fill(golden))
  expect([code, stdout]).toEqual([130, ''])
})
