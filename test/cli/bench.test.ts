import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bestTimes } from '../../lib/cli/bench/bestTimes.ts'
import { argumentsOf, findOperation, operationNames } from '../../lib/cli/bench/calls.ts'
import { readWorkloads } from '../../lib/cli/bench/measure.ts'
import { random } from '../../lib/cli/bench/random.ts'
import { fovea, interrupted, root } from './command.ts'

const workloads = await readWorkloads()

describe('workloads', () => {
  test('every operation has some, and only operations have', () => {
    expect([...workloads.keys()]).toEqual(operationNames())
  })

  test.each([...workloads])('%s', (op, rows) => {
    const names = rows.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, work, against, goal = 0.5, atMost = 1 } of rows) {
      expect(work, name).toBeGreaterThan(0)
      expect(goal > 0 && goal < 1, name).toBe(true)
      expect(atMost, name).toBeGreaterThan(0)
      if (against !== undefined) expect(names.slice(0, names.indexOf(name))).toContain(against)
    }
    expect(findOperation(op)?.call.name).toBe(op)
  })
})

test('arguments stand where the operation takes them', () => {
  const { definition } = findOperation('layerNorm')!
  const x = random(1).tensor([2])
  const inputs = { tensors: { x }, params: { eps: 1 } }
  expect(argumentsOf(definition, inputs, undefined, { threads: 1 })).toEqual([
    x,
    null,
    { eps: 1, threads: 1 },
  ])
})

test('random tensors are the same in every run, and within their scale', () => {
  const { data } = random(1).tensor([3, 100], 2)
  expect(random(1).tensor([300], 2).data).toEqual(data)
  expect(Math.min(...data)).toBeGreaterThanOrEqual(-2)
  expect(Math.max(...data)).toBeLessThan(2)
  expect(Math.abs(data.reduce((a, b) => a + b) / 300)).toBeLessThan(0.3)
})

test('the best window counts, contenders taking turns', async () => {
  let now = 0
  const turns: string[] = []
  const contender = (name: string, costs: readonly number[]) => {
    let runs = 0
    return {
      run(times: number) {
        turns.push(name)
        now += times * costs[runs++ % costs.length]!
      },
    }
  }
  const rivals = [contender('a', [0.03, 0.05, 0.04]), contender('b', [0.001])]
  const [a, b] = await bestTimes(
    rivals,
    () => now,
    async () => {},
  )
  expect(a).toBeCloseTo(0.03)
  expect(b).toBeCloseTo(0.001)
  expect(turns.join('')).toMatch(/(ab){10}/)
})

test('a contender in another process answers with its own seconds', async () => {
  const elsewhere = { run: async (times: number) => 0.002 * times }
  const [seconds] = await bestTimes(
    [elsewhere],
    () => 0,
    async () => {},
  )
  expect(seconds).toBeCloseTo(0.002)
})

test('--json: the peaks, and every row as a share of one', { timeout: 300_000 }, async () => {
  const { code, stdout, stderr } = await fovea('bench', 'globalAveragePool', '--json')
  expect([code, stderr]).toEqual([0, ''])
  const { machine, peaks, rows } = JSON.parse(stdout)
  expect(machine).toMatchObject({ isa: expect.any(String), cpu: expect.any(String) })
  expect(peaks).toEqual([expect.objectContaining({ threads: 1, copy: expect.any(Number) })])
  const [peak] = peaks
  expect(peak.fma).toBe(Math.max(...Object.values<number>(peak.fmaBy)))
  expect(rows.map(({ name }: { name: string }) => name)).toEqual(
    workloads.get('globalAveragePool')!.map(({ name }) => name),
  )
  for (const { op, rate, milliseconds, work, peak: limit, share } of rows) {
    expect([op, limit]).toEqual(['globalAveragePool', peak.read])
    expect(rate).toBeCloseTo(work / milliseconds / 1e6)
    expect(share).toBeCloseTo(rate / limit)
  }
})

test('Ctrl-C ends it with 130', { timeout: 300_000 }, async () => {
  const { code, stdout } = await interrupted('bench', '--json')
  expect([code, stdout]).toEqual([130, ''])
})

describe('peers', () => {
  const peers = join(root, 'bench/peers')

  test('are files of their own', () => {
    const files = readdirSync(peers).filter(name => name.endsWith('.mjs'))
    expect(files).toEqual(['onnxruntime.mjs', 'python.mjs'])
  })

  const engines = join(peers, 'python/engines')

  test.each(readdirSync(engines).filter(name => name.endsWith('.py')))(
    '%s has operations',
    name => {
      const source = readFileSync(join(engines, name), 'utf8')
      const camelCase = [...source.matchAll(/^def ([a-z]\w*[A-Z0-9]\w*)\(/gm)].map(([, op]) => op!)
      expect(camelCase.length).toBeGreaterThan(0)
      for (const op of camelCase) expect(operationNames()).toContain(op)
      expect(readFileSync(join(peers, 'python/serve.py'), 'utf8')).toContain(
        `"${name.slice(0, -3)}":`,
      )
    },
  )
})
