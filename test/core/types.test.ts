// Held by the compiler (`tsc` over the tests); running them is a formality.
import { expectTypeOf, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import type { Progress } from '../../lib/core/call/types.ts'
import { promised } from '../../lib/core/operation.ts'
import { prepareWeights } from '../../lib/core/prepareWeights.ts'
import { permute, reshape, slice } from '../../lib/core/tensors/derivedViews.ts'
import { tensor } from '../../lib/core/tensors/makeTensor.ts'
import type { Output } from '../../lib/core/tensors/tensor.ts'
import { type AttendOptions, attend, conv, dense, route } from './operations.ts'

const later = promised(attend)
const floats = (...shape: number[]) => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  shape,
})
const q = floats(1, 1, 2, 4)
const mine = { ...floats(1, 1, 2, 4), tag: 'mine' as const }
const mineLse = { ...floats(1, 1, 2), tag: 1 as const }
const x = floats(2, 3)
const weights = { weight: floats(4, 3) }

test('a call returns what it asked for', () => {
  expectTypeOf(attend(q, q, q)).toEqualTypeOf<{ readonly out: Output }>()
  expectTypeOf(attend(q, q, q, {})).toEqualTypeOf<{ readonly out: Output }>()
  expectTypeOf(attend(q, q, q, undefined)).toEqualTypeOf<{ readonly out: Output }>()
  expectTypeOf(attend(q, q, q, { causal: true, threads: 1 })).toEqualTypeOf<{
    readonly out: Output
  }>()
  expectTypeOf(attend(q, q, q, { outputs: [] })).toEqualTypeOf<{ readonly out: Output }>()
  expectTypeOf(attend(q, q, q, { outputs: ['lse'] })).toEqualTypeOf<{
    readonly out: Output
    readonly lse: Output
  }>()
  expectTypeOf(attend(q, q, q, { outputs: ['lse', 'peak', 'out'] })).toEqualTypeOf<{
    readonly out: Output
    readonly lse: Output
    readonly peak: Output
  }>()
  expectTypeOf<Output['data']>().toEqualTypeOf<Float32Array<ArrayBuffer>>()
  expectTypeOf<Output['dtype']>().toEqualTypeOf<'float32'>()
})

test("the caller's memory comes back as its own type", () => {
  expectTypeOf(attend(q, q, q, { into: { out: mine } }).out).toEqualTypeOf<typeof mine>()
  const both = attend(q, q, q, { outputs: ['peak'], into: { lse: mineLse, out: mine } })
  expectTypeOf(both.lse.tag).toEqualTypeOf<1>()
  expectTypeOf(both.out.tag).toEqualTypeOf<'mine'>()
  expectTypeOf(both.peak).toEqualTypeOf<Output>()
  expectTypeOf(attend(q, q, q, { into: { lse: mineLse } }).out).toEqualTypeOf<Output>()
})

test('what may not be there may be undefined', () => {
  const names: ('lse' | 'peak')[] = []
  expectTypeOf(attend(q, q, q, { outputs: names }).lse).toEqualTypeOf<Output | undefined>()
  const into: { out?: typeof mine; lse?: typeof mineLse } = {}
  const given = attend(q, q, q, { into })
  expectTypeOf(given.out).toEqualTypeOf<Output | typeof mine>()
  expectTypeOf(given.lse).toEqualTypeOf<Output | typeof mineLse | undefined>()
})

test('a promise of the same', () => {
  expectTypeOf(later(q, q, q, { outputs: ['lse'], into: { out: mine } })).resolves.toEqualTypeOf<{
    readonly out: typeof mine
    readonly lse: Output
  }>()
  const signal = new AbortController().signal
  expectTypeOf(
    later(q, q, q, {
      outputs: ['lse'],
      signal,
      priority: 1,
      copyInputs: true,
      onProgress: progress => expectTypeOf(progress).toEqualTypeOf<Progress>(),
    }),
  ).resolves.toEqualTypeOf<{ readonly out: Output; readonly lse: Output }>()
})

test('outputs that are not called out, and int32 ones', () => {
  expectTypeOf(route(x, null, x, { shared: true, decay: 1 })).toEqualTypeOf<{
    readonly assignments: Output<'int32'>
    readonly distances: Output
  }>()
  expectTypeOf<Output<'int32'>['data']>().toEqualTypeOf<Int32Array<ArrayBuffer>>()
  const map = floats(1, 2, 4, 4)
  const { counts } = conv(map, { weight: floats(4, 2, 1, 1) }, { outputs: ['counts'] })
  expectTypeOf(counts).toEqualTypeOf<Output<'int32'>>()
})

test('what the types refuse', () => {
  const refused = (): void => {
    // @ts-expect-error an output that was not asked for
    attend(q, q, q).lse
    // @ts-expect-error another one was
    attend(q, q, q, { outputs: ['peak'] }).lse
    // @ts-expect-error a misspelled option
    attend(q, q, q, { casual: true })
    // @ts-expect-error an option of the wrong kind
    attend(q, q, q, { causal: 1 })
    // @ts-expect-error a choice that does not exist
    attend(q, q, q, { align: 'topleft' })
    // @ts-expect-error an output that does not exist
    attend(q, q, q, { outputs: ['lsd'] })
    // @ts-expect-error memory for an output that does not exist
    attend(q, q, q, { into: { lsd: mine } })
    // @ts-expect-error memory that is no tensor
    attend(q, q, q, { into: { out: 3 } })
    // @ts-expect-error a promise's option
    attend(q, q, q, { signal: new AbortController().signal })
    // @ts-expect-error a missing tensor
    attend(q, q)
    // @ts-expect-error a number for a tensor
    attend(q, q, 3)
    // @ts-expect-error missing weights
    dense(x)
    // @ts-expect-error a misspelled option behind weights
    dense(x, weights, { gian: 2 })
    // @ts-expect-error weights prepared for another operation
    dense(x, prepareWeights('conv', weights))
    // @ts-expect-error a required parameter
    route(x, x, x)
    // @ts-expect-error a required parameter, again
    route(x, x, x, { shared: true })
    // @ts-expect-error which of the two halves is it?
    tensor(new Uint16Array(1), [1])
    // @ts-expect-error float32 it is
    tensor(new Float32Array(1), [1], { dtype: 'float16' })
    // @ts-expect-error elements of no operation
    tensor(new Float64Array(1), [1])
    // @ts-expect-error a promise has no outputs
    later(q, q, q).out
  }
  expectTypeOf(refused).toBeFunction()
})

test('what the types accept', () => {
  const accepted = (): void => {
    attend(q, q, q, { causal: undefined, mask: undefined, outputs: undefined, into: undefined })
    const options: AttendOptions = { scale: 1 }
    attend(q, q, q, options)
    attend(q, q, q, { ...options, outputs: ['lse'] }).lse.data
    dense(x, weights)
    dense(x, { ...weights, bias: undefined }, { gain: 1 })
    dense(x, prepareWeights('dense', weights))
    const record: Record<string, { data: Float32Array; shape: number[] }> = weights
    dense(x, record)
    attend(q, q, q, { into: { out: undefined } }).out.data.fill(0)
  }
  expectTypeOf(accepted).toBeFunction()
})

test('tensors of other libraries', () => {
  // As onnxruntime-common, @huggingface/transformers and ndarray declare theirs.
  interface OnnxTensor {
    readonly dims: readonly number[]
    readonly type: 'float32'
    readonly data: Float32Array
    readonly location: string
    readonly size: number
    reshape(dims: readonly number[]): OnnxTensor
    dispose(): void
  }
  interface TransformersTensor {
    dims: number[]
    type: string
    data: Float32Array | Int32Array | BigInt64Array | unknown[]
    size: number
    stride(): number[]
  }
  interface NdArray {
    data: Float32Array
    shape: number[]
    stride: number[]
    offset: number
    dtype: 'float32'
    readonly size: number
  }
  const accepted = (a: OnnxTensor, b: TransformersTensor, c: NdArray): void => {
    attend(a, b, c)
    expectTypeOf(attend(a, b, c, { into: { out: c } }).out).toEqualTypeOf<NdArray>()
  }
  expectTypeOf(accepted).toBeFunction()
})

test('views know what they show', () => {
  const t = tensor(new Float32Array(6), [2, 3])
  expectTypeOf(t.data).toEqualTypeOf<Float32Array<ArrayBuffer>>()
  expectTypeOf(t.dtype).toEqualTypeOf<'float32'>()
  expectTypeOf(tensor(new Uint8Array(1), [1]).dtype).toEqualTypeOf<'uint8'>()
  expectTypeOf(tensor(new Int32Array(1), [1]).dtype).toEqualTypeOf<'int32'>()
  const half = tensor(new Uint16Array(1), [1], { dtype: 'bfloat16' })
  expectTypeOf(half.dtype).toEqualTypeOf<'bfloat16'>()
  expectTypeOf(permute(half, [0]).dtype).toEqualTypeOf<'bfloat16'>()
  expectTypeOf(slice(t, 0, 0, 1).data).toEqualTypeOf<Float32Array<ArrayBuffer>>()
  expectTypeOf(reshape({ data: new Float64Array(1), dims: [1] }, []).data).toEqualTypeOf<
    Float64Array<ArrayBuffer>
  >()
})
