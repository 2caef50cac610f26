// What the compute lane promises to the rest of the process. Figures are an order of magnitude away from
// what a quiet machine shows: only a broken promise reaches them.
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runProgram } from './program.ts'

const onLinux = existsSync('/proc/self/task')

async function saidBy<T>(name: string, ...args: readonly string[]): Promise<T> {
  const { code, signal, said, stderr } = await runProgram<T>(name, { args })
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' })
  return said
}

test("the event loop and libuv's pool stay free while a job runs", async () => {
  const said = await saidBy<Record<string, number>>('eventLoop')
  expect(said.took).toBeGreaterThan(100)
  expect(said.rounds).toBeGreaterThan(20)
  expect(said.gap).toBeLessThan(20)
  expect(said.reads).toBeGreaterThan(0)
  expect(said.files).toBeLessThan(said.took! / 3)
})

describe.runIf(onLinux)('64 calls in flight run on the lane and its team alone', () => {
  test.each([
    ['by themselves', ''],
    ['with 8 Workers calling synchronously', 'workers'],
  ])('%s', async (_, who) => {
    const said = await saidBy<{ added: number; allowed: number }>('threads', who)
    expect(said.allowed).toBe(3)
    expect(said.added).toBeLessThanOrEqual(said.allowed)
  })
})

test.runIf(onLinux)('threads for which there is no room are done without', async () => {
  expect(await saidBy<string[]>('cramped', '2250')).toEqual([])
})

test('an abort settles calls soon, with its reason, and leaves the engine whole', async () => {
  const said = await saidBy<{
    running: { after: number; reason: string }
    queued: { after: number; reason: string }
    [name: string]: unknown
  }>('abort')
  expect(said.queued.reason).toBe('no longer wanted')
  expect(said.queued.after).toBeLessThan(100)
  expect(said.running.reason).toMatch(/aborted/)
  expect(said.running.after).toBeLessThan(400)
  expect(said).toMatchObject({ early: 'too late', same: true, grows: true })
  expect(said.reports).toBeGreaterThan(0)
})

test('thousands of calls may share one signal', async () => {
  const { took, aborted } = await saidBy<{ took: number; aborted: number }>('sharedSignal')
  expect(aborted).toBe(10_000)
  expect(took).toBeLessThan(20_000)
})

test('a queue without end is refused, and what was queued can still be let go', async () => {
  expect(await saidBy('queueFull')).toEqual({
    name: 'FoveaError',
    code: 'ERR_FOVEA_QUEUE_FULL',
    operation: 'scaledDotProductAttention',
    message: 'scaledDotProductAttention: the queue must hold at most 16384 calls; got one more.',
    first: 'aborted',
    after: 16,
  })
})

test('idle costs nothing, and short calls with pauses cost what the calls do', async () => {
  const { idle, work, bursts } = await saidBy<Record<string, number>>('idle')
  expect(idle).toBeLessThan(50)
  // Threads that spun behind every call would add about 8 ms to each of the 50.
  expect(bursts! - work!).toBeLessThan(150)
})

test('Workers can be terminated in the middle of their calls', async () => {
  const times = await saidBy<number[]>('workers', '12')
  expect(times).toHaveLength(12)
  for (const time of times) expect(time).toBeLessThan(1000)
})

describe('the process ends', () => {
  test.each([
    ['exit', 3],
    ['throw', 1],
  ])('at once by %s, whatever runs', async (how, expected) => {
    type Said = { settled: boolean; ran: number; at: number }
    const { code, signal, said } = await runProgram<Said>('exit', { args: [how] })
    const gone = Date.now() - said.at
    expect({ code, signal, settled: said.settled }).toEqual({
      code: expected,
      signal: null,
      settled: false,
    })
    expect(gone).toBeLessThan(700)
  })

  test('by itself only when its calls have settled', async () => {
    const said = await saidBy<{ settled: boolean; ran: number }>('exit', 'end')
    expect(said.settled).toBe(true)
  })
})
