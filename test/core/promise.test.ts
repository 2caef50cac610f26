import { getEventListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { promised } from '../../lib/core/operation.ts'
import { attend, dense } from './operations.ts'
import { behaviour, crossed, native } from './stubNative.ts'

const attendLater = promised(attend)
const denseLater = promised(dense)
const loose = attendLater as unknown as (...args: unknown[]) => Promise<Record<string, unknown>>

const floats = (...shape: number[]) => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  shape,
})
const q = floats(1, 1, 3, 4)
const k = floats(1, 1, 5, 4)
const v = floats(1, 1, 5, 8)

/** A call that the test settles. */
function pending() {
  const { promise, resolve, reject } = deferred()
  behaviour.submit = () => promise
  return { resolve, reject: (details: object) => reject(Object.assign(new Error('x'), details)) }
}
function deferred() {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

beforeEach(() => {
  crossed.length = 0
  behaviour.cancelled.length = 0
  delete behaviour.submit
})

test('the same outputs, named and typed as those of the synchronous call', async () => {
  const into = floats(1, 1, 3, 8)
  const { out, lse } = await attendLater(q, k, v, { outputs: ['lse'], into: { out: into } })
  expect(out).toBe(into)
  expect(lse.shape).toEqual([1, 1, 3])
  expect(attendLater.name).toBe('attend')
})

test('the same errors, as rejections', async () => {
  const sync = attend as unknown as (...args: unknown[]) => unknown
  const wrong: unknown[][] = [
    [],
    [q, k, 3],
    [q, k, v, { casual: true }],
    [q, k, v, { scale: Number.NaN }],
    [q, k, v, { into: { out: q } }],
  ]
  for (const args of wrong) {
    let message = ''
    try {
      sync(...args)
    } catch (error) {
      message = (error as Error).message
    }
    let promise: Promise<unknown> | undefined
    expect(() => {
      promise = loose(...args)
    }).not.toThrow()
    await expect(promise).rejects.toThrow(message)
  }
  expect(crossed).toEqual([])
})

test('what the caller throws from a getter is a rejection too', async () => {
  const reason = new Error('mine')
  const query = {
    get data(): never {
      throw reason
    },
  }
  await expect(loose(query, k, v)).rejects.toBe(reason)
})

describe('options', () => {
  test.each([
    ['signal', 3, 'ERR_FOVEA_TYPE', 'attend: signal must be an AbortSignal; got 3.'],
    ['signal', {}, 'ERR_FOVEA_TYPE', 'attend: signal must be an AbortSignal; got an object.'],
    ['onProgress', true, 'ERR_FOVEA_TYPE', 'attend: onProgress must be a function; got true.'],
    ['priority', 'high', 'ERR_FOVEA_TYPE', 'attend: priority must be a finite number; got "high".'],
    [
      'priority',
      Number.NaN,
      'ERR_FOVEA_OPTION',
      'attend: priority must be a finite number; got NaN.',
    ],
    ['copyInputs', 1, 'ERR_FOVEA_TYPE', 'attend: copyInputs must be true or false; got 1.'],
  ])('%s of %o', async (name, value, code, message) => {
    await expect(loose(q, k, v, { [name]: value })).rejects.toMatchObject({ code, message })
  })

  test('priority reaches the lane', async () => {
    await attendLater(q, k, v, { priority: -2.5 })
    expect(behaviour.priority).toBe(-2.5)
    await attendLater(q, k, v)
    expect(behaviour.priority).toBe(0)
  })

  test('copyInputs moves what the call reads, and keeps its layout', async () => {
    const data = Float32Array.from({ length: 100 }, (_, i) => i)
    const x = { data, shape: [2, 3], strides: [-10, 2], offset: 50 }
    const weight = floats(4, 3)
    await denseLater(x, { weight }, { copyInputs: true })
    const [copied, out, copiedWeight] = crossed[0]!.slots
    expect(copied!.data!.buffer).not.toBe(data.buffer)
    expect(copied!.data!.length).toBe(15)
    expect(copied).toMatchObject({ shape: [2, 3], strides: [-10, 2], offset: 10 })
    expect([50, 54, 40, 44]).toEqual([0, 4, -10, -6].map(at => copied!.data![copied!.offset + at]))
    expect(copiedWeight!.data).not.toBe(weight.data)
    expect(out!.kind).toBe(1)
    await denseLater(floats(0, 3), { weight }, { copyInputs: true })
  })
})

describe('abort', () => {
  test('before the call: nothing is queued', async () => {
    const reason = new Error('too late')
    await expect(attendLater(q, k, v, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(crossed).toEqual([])
  })

  test('wrong arguments count before an abort', async () => {
    await expect(loose(q, k, 3, { signal: AbortSignal.abort() })).rejects.toThrow(TypeError)
  })

  test('during the call: cancelled, and rejected with the reason once the engine has stopped', async () => {
    const { reject } = pending()
    const controller = new AbortController()
    const call = attendLater(q, k, v, { signal: controller.signal })
    const settled = vi.fn()
    call.catch(settled)
    controller.abort('enough')
    expect(behaviour.cancelled).toHaveLength(1)
    await delay(5)
    expect(settled).not.toHaveBeenCalled()
    reject({ code: 'ABORTED' })
    await expect(call).rejects.toBe('enough')
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  test('when the last tile was done already: rejected all the same', async () => {
    const { resolve } = pending()
    const controller = new AbortController()
    const call = attendLater(q, k, v, { signal: controller.signal })
    controller.abort()
    resolve()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('after the call: nothing happens, and nothing is listened to', async () => {
    const controller = new AbortController()
    await attendLater(q, k, v, { signal: controller.signal })
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    controller.abort()
    expect(behaviour.cancelled).toEqual([])
  })
})

describe('failures of the lane', () => {
  test('come back as errors of the operation', async () => {
    const { reject } = pending()
    const call = attendLater(q, k, v)
    reject({ code: 'ERR_FOVEA_DETACHED', expected: 'have its memory', slot: 1 })
    await expect(call).rejects.toMatchObject({ argument: 'key', operation: 'attend' })
  })

  test('a full queue, found at once', async () => {
    behaviour.submit = () => {
      throw Object.assign(new Error(), {
        code: 'ERR_FOVEA_QUEUE_FULL',
        argument: 'the queue',
        expected: 'have room',
        received: '1024 calls',
      })
    }
    await expect(attendLater(q, k, v)).rejects.toMatchObject({
      name: 'FoveaError',
      message: 'attend: the queue must have room; got 1024 calls.',
    })
  })
})

describe('progress', () => {
  test('is asked for at most 20 times a second, and told where it has changed', async () => {
    const { resolve } = pending()
    let done = 0
    const asked: number[] = []
    native.progress = () => {
      asked.push(performance.now())
      done += asked.length % 2
      return { done, total: 9 }
    }
    const seen: number[] = []
    const call = attendLater(q, k, v, {
      onProgress: progress => {
        seen.push(progress.done)
      },
    })
    await delay(330)
    resolve()
    await call
    expect(asked.length).toBeLessThanOrEqual(7)
    expect(asked.length).toBeGreaterThanOrEqual(2)
    expect(seen).toEqual([...new Set(seen)])
    const before = asked.length
    await delay(120)
    expect(asked.length, 'no timer outlives the call').toBe(before)
  })

  test('what the callback throws ends the call', async () => {
    const { reject } = pending()
    native.progress = () => ({ done: 1, total: 9 })
    const reason = new Error('from the callback')
    const call = attendLater(q, k, v, {
      onProgress: () => {
        throw reason
      },
    })
    const settled = call.catch((error: unknown) => error)
    await delay(150)
    expect(behaviour.cancelled).toHaveLength(1)
    reject({ code: 'ABORTED' })
    expect(await settled).toBe(reason)
  })
})

test('many calls in flight keep their arguments apart', async () => {
  const results = await Promise.all(
    Array.from({ length: 64 }, (_, i) => denseLater(floats(i + 1, 3), { weight: floats(2, 3) })),
  )
  expect(results.map(({ out }) => out.shape)).toEqual(results.map((_, i) => [i + 1, 2]))
  expect(crossed.map(({ slots }) => slots[0]!.shape[0])).toEqual(results.map((_, i) => i + 1))
})
