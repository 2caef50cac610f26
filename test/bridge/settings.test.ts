import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { type NativeInfo, native } from '../../lib/core/addon.ts'
import { runProgram } from './program.ts'

const saidBy = async <T = NativeInfo>(
  env: NodeJS.ProcessEnv,
  ...args: readonly string[]
): Promise<T> => {
  const ended = await runProgram<T>('settings', { env, args })
  expect(ended).toMatchObject({ code: 0 })
  return ended.said
}

test('info() describes the engine', () => {
  const info = native.info()
  expect(info.isas).toContain(info.isa)
  expect(info.isas.at(-1)).toBe('scalar')
  expect(info.version).toMatch(/^\d+\.\d+\.\d+$/)
  expect(info.compiler).toMatch(/\d/)
  expect(info.vectorBits).toBe({ avx512: 512, avx2: 256, neon: 128 }[info.isa] ?? 32)
})

test.each([
  [{ FOVEA_NUM_THREADS: '3' }, 3, 'FOVEA_NUM_THREADS'],
  [{ OMP_NUM_THREADS: '5' }, 5, 'OMP_NUM_THREADS'],
  [{ OMP_NUM_THREADS: '4,2' }, 4, 'OMP_NUM_THREADS'],
  [{ FOVEA_NUM_THREADS: '1', OMP_NUM_THREADS: '5' }, 1, 'FOVEA_NUM_THREADS'],
  [{ FOVEA_NUM_THREADS: '', OMP_NUM_THREADS: '2' }, 2, 'OMP_NUM_THREADS'],
  [{ FOVEA_NUM_THREADS: '256' }, 256, 'FOVEA_NUM_THREADS'],
])('the threads of %j are %i, from %s', async (env, threads, threadsFrom) => {
  expect(await saidBy(env)).toMatchObject({ threads, threadsFrom })
})

test.each([{}, { OMP_NUM_THREADS: 'many' }, { OMP_NUM_THREADS: '1000000' }])(
  'with %j the machine decides',
  async env => {
    const { threads, threadsFrom } = await saidBy(env)
    expect(['affinity', 'cgroup quota']).toContain(threadsFrom)
    expect(threads).toBeGreaterThanOrEqual(1)
    expect(threads).toBeLessThanOrEqual(availableParallelism())
  },
)

test.each(['0', '-1', '1.5', 'many', '1000000', '2,2', 'NaN'])(
  'FOVEA_NUM_THREADS=%s is an error at the first use, not at import',
  async value => {
    expect(await saidBy({ FOVEA_NUM_THREADS: value })).toEqual({
      code: 'ERR_FOVEA_OPTION',
      argument: 'FOVEA_NUM_THREADS',
      expected: expect.stringMatching(/^be a whole number from 1 to \d+$/),
      received: `'${value}'`,
    })
  },
)

test('setNumThreads takes a whole number that can be started', () => {
  const before = native.getNumThreads()
  native.setNumThreads(3)
  expect(native.getNumThreads()).toBe(3)
  expect(native.info()).toMatchObject({ threads: 3, threadsFrom: 'setNumThreads' })
  for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 100_000, '2', undefined]) {
    expect(() => native.setNumThreads(wrong as number)).toThrow(
      expect.objectContaining({ code: 'ERR_FOVEA_OPTION' }),
    )
  }
  expect(native.getNumThreads()).toBe(3)
  native.setNumThreads(before)
})

test.each(native.info().isas)('FOVEA_ISA=%s is what the engine runs on', async isa => {
  expect(await saidBy({ FOVEA_ISA: isa })).toMatchObject({ isa, isas: native.info().isas })
})

test.each(['avx1024', 'AVX2', process.arch === 'x64' ? 'neon' : 'avx2'])(
  'FOVEA_ISA=%s is an error at the first use, not at import',
  async name => {
    expect(await saidBy({ FOVEA_ISA: name })).toEqual({
      code: 'ERR_FOVEA_ISA',
      argument: 'FOVEA_ISA',
      expected: `be one of ${native.info().isas.join(', ')}`,
      received: `'${name}'`,
    })
  },
)

test("a Worker's own variables count there, and cannot change what the process runs on", async () => {
  const own = { FOVEA_NUM_THREADS: '3', FOVEA_ISA: 'scalar' }
  const said = await saidBy<NativeInfo[]>({ FOVEA_ISA: 'scalar' }, 'worker', JSON.stringify(own))
  expect(said[0]).toMatchObject({ isa: 'scalar' })
  expect(said[0]!.threadsFrom).not.toBe('FOVEA_NUM_THREADS')
  expect(said[1]).toMatchObject({ isa: 'scalar', threads: 3, threadsFrom: 'FOVEA_NUM_THREADS' })

  const best = native.info().isas[0]!
  if (best === 'scalar') return
  const conflict = await saidBy<unknown[]>({ FOVEA_ISA: best }, 'worker', JSON.stringify(own))
  expect(conflict[1]).toMatchObject({
    code: 'ERR_FOVEA_ISA',
    expected: `be ${best}, which this process already runs on`,
  })
})
