import { describe, expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { FoveaError, fail, foveaError, nearest } from '../../lib/core/errors.ts'
import { prepareWeights } from '../../lib/core/prepareWeights.ts'
import { info } from '../../lib/core/settings.ts'
import { permute, reshape, slice } from '../../lib/core/tensors/derivedViews.ts'
import { tensor } from '../../lib/core/tensors/makeTensor.ts'
import { dense } from './operations.ts'
import { behaviour, native } from './stubNative.ts'
import {
  floats,
  kernel,
  type Loose,
  looseConv,
  map,
  messages,
  type Structured,
  weight,
  withWeights,
  x,
} from './wrongCalls.ts'

describe('weights', () => {
  test('names, shapes and kinds', () => {
    const norm = (extra: object) => () =>
      looseConv(map, { weight: kernel, ...extra }, { mode: 'norm' })
    expect(
      messages({
        none: withWeights(undefined),
        null: withWeights(null),
        'an empty record': withWeights({}),
        'a number': withWeights(3),
        'an array': withWeights([weight]),
        'a typed array': withWeights(weight.data),
        'a misspelled name': withWeights({ wieght: weight }),
        'an unknown name': withWeights({ weight, wibble: weight }),
        'an option among the weights': withWeights({ weight, gain: 2 }),
        'options in place of weights': withWeights({ gain: 2 }),
        'a counter where nothing counts': withWeights({ weight, num_batches_tracked: weight }),
        'null for a weight': withWeights({ weight, bias: null }),
        'another shape': withWeights({ weight: floats(4, 2) }),
        'another rank': withWeights({ weight: floats(4, 3, 1, 1) }),
        'a bias that does not fit': withWeights({ weight, bias: floats(3) }),
        'integer elements': withWeights({ weight: { data: new Int32Array(12), shape: [4, 3] } }),
        'float64 elements': withWeights({ weight: { data: new Float64Array(12), shape: [4, 3] } }),
        'too little data': withWeights({ weight: { data: new Float32Array(11), shape: [4, 3] } }),
        'a size of 0': withWeights({ weight: floats(0, 3) }),
        'half of a group': norm({
          'norm.weight': floats(4),
          'norm.running_mean': floats(4),
          'norm.running_var': floats(4),
        }),
        'a missing one of many': norm({ 'norm.running_mean': floats(4) }),
        'an unused one that is no tensor': () =>
          looseConv(map, { weight: kernel, 'norm.weight': 3 }),
        'prepared for another operation': withWeights(
          prepareWeights('conv', { weight: kernel }, { groups: 3 }),
        ),
        'prepared, then prepared again': () =>
          prepareWeights('dense', prepareWeights('dense', { weight })),
      }),
    ).toMatchInlineSnapshot(`
      {
        "a bias that does not fit": "WEIGHT_SHAPE dense: weights.bias must have shape [out=4], out as in weights.weight; got [3].",
        "a counter where nothing counts": "WEIGHT_UNKNOWN dense: weights.num_batches_tracked must be a weight that dense has here (weight, bias); got a weight num_batches_tracked.",
        "a missing one of many": "WEIGHT_MISSING conv: weights.norm.running_var must be given; got undefined.",
        "a misspelled name": "WEIGHT_UNKNOWN dense: weights.wieght must be spelled weight; got a weight wieght.",
        "a number": "TYPE dense: weights must be a record of tensors, or prepared weights; got 3.",
        "a size of 0": "WEIGHT_SHAPE dense: weights.weight must have a size out of at least 1; got 0.",
        "a typed array": "TYPE dense: weights must be a record of tensors, or prepared weights; got a Float32Array.",
        "an array": "TYPE dense: weights must be a record of tensors, or prepared weights; got an array.",
        "an empty record": "WEIGHT_MISSING dense: weights.weight must be given; got undefined.",
        "an option among the weights": "WEIGHT_UNKNOWN dense: weights.gain must be given with the options, which come after the weights; got a weight gain.",
        "an unknown name": "WEIGHT_UNKNOWN dense: weights.wibble must be a weight that dense has here (weight, bias); got a weight wibble.",
        "an unused one that is no tensor": "TYPE conv: weights.norm.weight must be a tensor; got 3.",
        "another rank": "WEIGHT_SHAPE dense: weights.weight must have shape [out, in]; got [4, 3, 1, 1].",
        "another shape": "WEIGHT_SHAPE dense: weights.weight must have shape [out=4, in=3], in as in x; got [4, 2].",
        "float64 elements": "TYPE dense: weights.weight must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got a Float64Array.",
        "half of a group": "WEIGHT_MISSING conv: weights.norm.bias must be given where weights.norm.weight is; got undefined.",
        "integer elements": "TYPE dense: weights.weight must have float32, float16 or bfloat16 elements; got an Int32Array.",
        "none": "WEIGHT_MISSING dense: weights.weight must be given; got undefined.",
        "null": "WEIGHT_MISSING dense: weights.weight must be given; got undefined.",
        "null for a weight": "TYPE dense: weights.bias must be a tensor; got null.",
        "options in place of weights": "WEIGHT_UNKNOWN dense: weights.gain must be given with the options, which come after the weights; got a weight gain.",
        "prepared for another operation": "TYPE dense: weights must be weights prepared for dense; got conv.",
        "prepared, then prepared again": "TYPE dense: weights must be a record of tensors; got an object.",
        "too little data": "BOUNDS dense: weights.weight must lie inside its data of 11 elements; got elements 0 to 11.",
      }
    `)
  })
})

describe('views', () => {
  test('what they refuse', () => {
    const data = new Float32Array(24)
    const t = tensor(data, [2, 3, 4])
    const loose = { tensor, permute, slice, reshape } as unknown as Record<string, Loose>
    expect(
      messages({
        'an array for data': () => loose.tensor!([1, 2], [2]),
        'a Float64Array': () => loose.tensor!(new Float64Array(2), [2]),
        'a Uint16Array without dtype': () => loose.tensor!(new Uint16Array(2), [2]),
        'no shape': () => loose.tensor!(data),
        'too little data': () => tensor(data, [5, 5]),
        'a misspelled option': () => loose.tensor!(data, [24], { stride: [1] }),
        'options that are none': () => loose.tensor!(data, [24], 3),
        'an order too short': () => permute(t, [0, 1]),
        'an axis twice': () => permute(t, [0, 1, 1]),
        'an order of text': () => loose.permute!(t, '012'),
        'no such axis': () => slice(t, 3, 0, 1),
        'a negative start': () => slice(t, 0, -1, 1),
        'an end too far': () => slice(t, 0, 0, 3),
        'a start behind the end': () => slice(t, 0, 2, 1),
        'another count': () => reshape(t, [5, 5]),
        'an inferred size': () => reshape(t, [-1, 4]),
        'a copy': () => reshape(permute(t, [1, 0, 2]), [6, 4]),
        'not a tensor': () => loose.reshape!(3, [1]),
        'no typed array': () => loose.slice!({ data: [1], shape: [1] }, 0, 0, 1),
      }),
    ).toMatchInlineSnapshot(`
      {
        "a Float64Array": "TYPE tensor: tensor must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got a Float64Array.",
        "a Uint16Array without dtype": "TYPE tensor: tensor must have dtype 'float16' or 'bfloat16' over a Uint16Array; got undefined.",
        "a copy": "STRIDE reshape: shape must keep the layout of a tensor of shape [3, 2, 4] and strides [4, 12, 1], for nothing is copied; got [6, 4].",
        "a misspelled option": "UNKNOWN_OPTION tensor: stride must be spelled strides; got the option stride.",
        "a negative start": "BOUNDS slice: start must be a whole number of at least 0; got -1.",
        "a start behind the end": "BOUNDS slice: start must be at most the end 1; got 2.",
        "an array for data": "TYPE tensor: tensor must have its data in a Float32Array, Uint16Array, Uint8Array or Int32Array; got an array.",
        "an axis twice": "RANK permute: order must name each of the 3 axes once; got [0, 1, 1].",
        "an end too far": "BOUNDS slice: end must be at most the size 2 of axis 0; got 3.",
        "an inferred size": "SHAPE reshape: shape[0] must be a whole number of at least 0; got -1.",
        "an order of text": "TYPE permute: order must be an array of whole numbers; got "012".",
        "an order too short": "RANK permute: order must name each of the 3 axes once; got [0, 1].",
        "another count": "SHAPE reshape: shape must have 24 elements, as the tensor has; got [5, 5].",
        "no shape": "TYPE tensor: tensor must have an array as its shape; got undefined.",
        "no such axis": "RANK slice: axis must be an axis of a tensor of rank 3; got 3.",
        "no typed array": "TYPE slice: tensor must have a typed array as its data; got an array.",
        "not a tensor": "TYPE reshape: tensor must be a tensor; got 3.",
        "options that are none": "TYPE tensor: options must be an object; got 3.",
        "too little data": "BOUNDS tensor: tensor must lie inside its data of 24 elements; got elements 0 to 24.",
      }
    `)
  })
})

describe('failures of the native side', () => {
  const failure = (details: object): never => {
    throw Object.assign(new Error('native'), details)
  }
  test('come back with the operation, the argument and a code', () => {
    const run = (details: object) => {
      behaviour.run = () => failure(details)
      try {
        dense(x, { weight })
      } catch (error) {
        return error as Structured
      } finally {
        delete behaviour.run
      }
      return expect.fail('nothing was thrown')
    }
    const memory = run({
      code: 'ERR_FOVEA_MEMORY',
      argument: 'scratch memory',
      expected: 'be available',
      received: 'an allocation that failed',
    })
    expect(memory).toBeInstanceOf(FoveaError)
    expect(memory.message).toBe(
      'dense: scratch memory must be available; got an allocation that failed.',
    )
    expect(memory.name).toBe('FoveaError')
    const lost = run({ code: 'ERR_FOVEA_DETACHED', expected: 'have its memory', slot: 2 })
    expect(lost).toBeInstanceOf(TypeError)
    expect(lost.argument).toBe('weights.weight')
    expect(
      run({ code: 'ERR_FOVEA_BOUNDS', expected: 'lie inside its data', slot: 0 }).argument,
    ).toBe('x')
    expect(run({}).message).toBe('native')
  })

  test('info', () => {
    const { info: real } = native
    native.info = () =>
      failure({
        code: 'ERR_FOVEA_ISA',
        argument: 'FOVEA_ISA',
        expected: 'be one of scalar',
        received: "'mmx'",
      })
    try {
      expect(() => info()).toThrow("info: FOVEA_ISA must be one of scalar; got 'mmx'.")
    } finally {
      native.info = real
    }
  })
})

describe('words', () => {
  test('the nearest name', () => {
    const names = ['scale', 'causal', 'align', 'windowLeft', 'windowRight', 'threads']
    expect(
      ['scael', 'windowleft', 'window', 'treads', 'x', 'wibble', 'casual'].map(name =>
        nearest(name, names),
      ),
    ).toEqual(['scale', 'windowLeft', undefined, 'threads', undefined, undefined, 'causal'])
    expect(nearest('isCausal', names)).toBe('causal')
    expect(nearest('attentionMaskOf', ['is', 'mask', 'attention'])).toBe('attention')
    expect(nearest('kernel', ['kernelSize', 'stride', 'is'])).toBe('kernelSize')
  })

  test('received values run no code of their owner', () => {
    const hostile = {
      toString: () => expect.fail('toString ran'),
      [Symbol.toPrimitive]: () => expect.fail('toPrimitive ran'),
    }
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    const received = (value: unknown): string => {
      try {
        return fail('op', 'x', 'ERR_FOVEA_TYPE', 'be', value)
      } catch (error) {
        return (error as Structured).received
      }
    }
    const values = [
      hostile,
      proxy,
      [1],
      'a"b',
      'x'.repeat(99),
      -0,
      1n,
      Symbol('s'),
      new Int8Array(2),
    ]
    expect(values.map(received)).toEqual([
      'an object',
      'an object',
      'an array',
      '"a\\"b"',
      `"${'x'.repeat(57)}"…`,
      '-0',
      'a bigint',
      'a symbol',
      'an Int8Array',
    ])
  })

  test('codes that are no wrong argument make a FoveaError', () => {
    const cause = new Error('disk')
    const error = foveaError('readSafetensors', 'path', 'ERR_FOVEA_FILE', 'exist', 'x', cause)
    expect(error).toBeInstanceOf(FoveaError)
    expect(error.cause).toBe(cause)
    expect(Object.keys(error)).toEqual(['code', 'operation', 'argument', 'expected', 'received'])
  })
})
