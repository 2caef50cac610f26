// What every operation refuses, and how: the class, the code, the argument, the sentence; nothing
// written; the same through a promise.
import { expect, test } from 'vitest'
import { sameBits } from './compare.ts'
import type { OperationSuite } from './describeOperation.ts'
import { argumentsOf, type CallOptions, callPromised, operation, promised } from './engine.ts'
import { poisoned } from './layouts.ts'
import { Random } from './random.ts'
import { type Dense, sizeOf, type View } from './tensors.ts'

/** A call that must fail: what differs from a valid one, and how it must be answered. */
export interface Wrong {
  readonly tensors?: Readonly<Record<string, unknown>>
  readonly weights?: Readonly<Record<string, unknown>>
  readonly params?: Readonly<Record<string, unknown>>
  readonly code: string
  readonly argument: string
}

const kTypeErrors = new Set(
  ['TYPE', 'UNKNOWN_OPTION', 'WEIGHT_MISSING', 'WEIGHT_UNKNOWN', 'DETACHED', 'RESIZABLE'].map(
    code => `ERR_FOVEA_${code}`,
  ),
)

interface Structured extends Error {
  readonly code: string
  readonly operation: string
  readonly argument: string
  readonly expected: unknown
  readonly received: unknown
}

function expectError(thrown: unknown, op: string, code: string, argument: string): string {
  expect(thrown).toBeInstanceOf(kTypeErrors.has(code) ? TypeError : RangeError)
  const error = thrown as Structured
  expect({ code: error.code, argument: error.argument }, error.message).toEqual({ code, argument })
  expect(error.operation).toBe(op)
  expect(error).toHaveProperty('expected')
  expect(error).toHaveProperty('received')
  expect(error.message).toMatch(new RegExp(`^${op}: .+ must .+; got .+\\.`, 's'))
  return error.message
}

/** Memory that JavaScript can neither transfer nor resize, but WebAssembly can grow. */
function webAssemblyMemory(bytes: number): ArrayBuffer {
  // Spelled out because its types come with those of the browser, which the project leaves out.
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (pages: { initial: number }) => { buffer: ArrayBuffer } }
  }
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) }).buffer
}

export function describeErrors({ reference, cases, wrong = {} }: OperationSuite): void {
  const { op, required, takesWeights } = reference
  const [name, generate] = Object.entries(cases)[0]!
  const valid = generate(new Random(op, name, 0))
  const run = operation(op)

  function argumentsFor(
    { tensors, weights, params }: Omit<Wrong, 'code' | 'argument'>,
    extra = {},
  ): unknown[] {
    const inputs = { ...valid.tensors, ...tensors } as Record<string, Dense>
    const options: CallOptions = {
      layout: tensor => tensor as View, // wrong values pass through as they are
      options: { ...params, ...extra },
      ...(takesWeights && { weights: { ...valid.weights, ...weights } }),
    }
    return argumentsOf(reference, { ...valid, tensors: inputs, params: valid.params }, options)
  }

  const outs = Object.entries(run(...argumentsFor({})))

  /** The message with which a call is refused, after checking everything else about the refusal. */
  async function refusal(change: Wrong): Promise<string> {
    const into = Object.fromEntries(outs.map(([output, view]) => [output, poisoned(view)]))
    const giveMemory = change.params === undefined || !('into' in change.params)
    const extra = giveMemory ? { into } : {}
    let thrown: unknown
    try {
      run(...argumentsFor(change, extra))
    } catch (error) {
      thrown = error
    }
    if (thrown === undefined)
      expect.fail(`accepted, instead of ${change.code} for ${change.argument}`)
    const message = expectError(thrown, op, change.code, change.argument)
    for (const { data } of Object.values(into)) {
      const memory = { data, shape: [data.length] }
      expect(sameBits(memory, poisoned(memory)), 'nothing is written').toBe(true)
    }
    const rejected = await promised(op)(...argumentsFor(change, extra)).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(expectError(rejected, op, change.code, change.argument)).toBe(message)
    return message
  }

  const first = required[0]!
  const tensor = valid.tensors[first]!
  const size = sizeOf(tensor.shape)
  const out = outs.find(([, view]) => view.data instanceof Float32Array)!
  const like = (change: object): Record<string, unknown> => ({ [first]: { ...tensor, ...change } })
  const resizable = (): Float32Array => {
    const Kind = ArrayBuffer as unknown as new (
      n: number,
      o: { maxByteLength: number },
    ) => ArrayBuffer
    return new Float32Array(new Kind(size * 4, { maxByteLength: size * 8 }))
  }
  const detached = (): Float32Array => {
    const data = new Float32Array(size)
    structuredClone(data.buffer, { transfer: [data.buffer] })
    return data
  }
  const wrongOut = { ...poisoned(out[1]), shape: [...out[1].shape, 1] }
  const shared = new Float32Array(Math.max(size, sizeOf(out[1].shape)) + 1)

  const always: Record<string, Wrong> = {
    'no tensor': { tensors: { [first]: undefined }, code: 'ERR_FOVEA_TYPE', argument: first },
    'a number for a tensor': { tensors: { [first]: 3 }, code: 'ERR_FOVEA_TYPE', argument: first },
    'an array of numbers': {
      tensors: like({ data: [1, 2] }),
      code: 'ERR_FOVEA_TYPE',
      argument: first,
    },
    'the wrong array': {
      tensors: like({ data: new Float64Array(size) }),
      code: 'ERR_FOVEA_TYPE',
      argument: first,
    },
    'a DataView': {
      tensors: like({ data: new DataView(new ArrayBuffer(size * 4)) }),
      code: 'ERR_FOVEA_TYPE',
      argument: first,
    },
    'no shape': { tensors: like({ shape: undefined }), code: 'ERR_FOVEA_TYPE', argument: first },
    'rank 0': { tensors: like({ shape: [] }), code: 'ERR_FOVEA_RANK', argument: first },
    'a negative dimension': {
      tensors: like({ shape: tensor.shape.map(() => -1) }),
      code: 'ERR_FOVEA_SHAPE',
      argument: first,
    },
    'half a dimension': {
      tensors: like({ shape: tensor.shape.map(() => 1.5) }),
      code: 'ERR_FOVEA_SHAPE',
      argument: first,
    },
    'dimensions past whole numbers': {
      tensors: like({ shape: tensor.shape.map(() => 2 ** 53) }),
      code: 'ERR_FOVEA_SHAPE',
      argument: first,
    },
    'too little data': {
      tensors: like({ data: new Float32Array(size - 1) }),
      code: 'ERR_FOVEA_BOUNDS',
      argument: first,
    },
    'an offset past the end': {
      tensors: like({ offset: 1 }),
      code: 'ERR_FOVEA_BOUNDS',
      argument: first,
    },
    'an offset before the start': {
      tensors: like({ offset: -1 }),
      code: 'ERR_FOVEA_BOUNDS',
      argument: first,
    },
    'too few strides': {
      tensors: like({ strides: [] }),
      code: 'ERR_FOVEA_STRIDE',
      argument: first,
    },
    'half a stride': {
      tensors: like({ strides: tensor.shape.map(() => 0.5) }),
      code: 'ERR_FOVEA_STRIDE',
      argument: first,
    },
    'strides past the end': {
      tensors: like({ strides: tensor.shape.map(() => size) }),
      code: 'ERR_FOVEA_BOUNDS',
      argument: first,
    },
    'detached memory': {
      tensors: like({ data: detached() }),
      code: 'ERR_FOVEA_DETACHED',
      argument: first,
    },
    'resizable memory': {
      tensors: like({ data: resizable() }),
      code: 'ERR_FOVEA_RESIZABLE',
      argument: first,
    },
    'WebAssembly memory': {
      tensors: like({
        data: new Float32Array(webAssemblyMemory(size * 4), 0, size),
      }),
      code: 'ERR_FOVEA_RESIZABLE',
      argument: first,
    },
    'an unknown option': {
      params: { wibble: 1 },
      code: 'ERR_FOVEA_UNKNOWN_OPTION',
      argument: 'wibble',
    },
    'a misspelled option': {
      params: { treads: 1 },
      code: 'ERR_FOVEA_UNKNOWN_OPTION',
      argument: 'treads',
    },
    'no threads': { params: { threads: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'threads' },
    'too many threads': {
      params: { threads: 100000 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'threads',
    },
    'half a thread': { params: { threads: 1.5 }, code: 'ERR_FOVEA_OPTION', argument: 'threads' },
    'NaN threads': {
      params: { threads: Number.NaN },
      code: 'ERR_FOVEA_OPTION',
      argument: 'threads',
    },
    'threads by name': { params: { threads: 'two' }, code: 'ERR_FOVEA_TYPE', argument: 'threads' },
    'an output it does not have': {
      params: { outputs: ['wibble'] },
      code: 'ERR_FOVEA_OUTPUT',
      argument: 'outputs',
    },
    'memory for an output it does not have': {
      params: { into: { wibble: out[1] } },
      code: 'ERR_FOVEA_OUTPUT',
      argument: 'into',
    },
    'an output of the wrong shape': {
      params: { into: { [out[0]]: wrongOut } },
      code: 'ERR_FOVEA_RANK',
      argument: `into.${out[0]}`,
    },
    'an output over an input': {
      tensors: like({ data: shared }),
      params: { into: { [out[0]]: { data: shared, shape: out[1].shape, offset: 1 } } },
      code: 'ERR_FOVEA_OVERLAP',
      argument: `into.${out[0]}`,
    },
    ...(takesWeights && {
      'an unknown weight': {
        weights: { wibble: tensor },
        code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
        argument: 'weights.wibble',
      },
    }),
  }
  const own = Object.entries(wrong).map(([name, given]): [string, Wrong] => [
    name,
    typeof given === 'function' ? given(valid) : given,
  ])

  test('each is refused by its code, before anything is written', async () => {
    const messages: Record<string, string> = {}
    for (const [name, change] of [...Object.entries(always), ...own]) {
      messages[name] = await refusal(change).catch((error: Error) => {
        error.message = `${name}: ${error.message}`
        throw error
      })
    }
    expect(messages).toMatchSnapshot()
  })

  test.each(['signal', 'onProgress', 'priority', 'copyInputs'])(
    '%s is for promises only',
    option => {
      expect(() => run(...argumentsFor({ params: { [option]: 1 } }))).toThrow('fovea/promises')
    },
  )

  test('an aborted signal rejects with its reason', async () => {
    const reason = new Error('enough')
    const options = { signal: AbortSignal.abort(reason) }
    await expect(callPromised(reference, valid, { options })).rejects.toBe(reason)
  })
}
