import { describe, expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { prepareWeights } from '../../lib/core/prepareWeights.ts'
import { setNumThreads } from '../../lib/core/settings.ts'
import { attend, dense } from './operations.ts'
import {
  floats,
  k,
  kernel,
  looseConv,
  looseRoute,
  messages,
  q,
  v,
  weight,
  withOptions,
  withParams,
  x,
} from './wrongCalls.ts'

describe('options', () => {
  test('names', () => {
    expect(
      messages({
        misspelled: withOptions({ casual: true }),
        'other case': withOptions({ SCALE: 1 }),
        unknown: withOptions({ wibble: 1 }),
        'unknown and undefined': withOptions({ wibble: undefined }),
        'a required tensor': withOptions({ key: k }),
        'a promise option': withOptions({ signal: new AbortController().signal }),
        'another promise option': withOptions({ priority: 1 }),
        'not an object': withOptions(3),
        null: withOptions(null),
        'an array': withOptions([]),
        'a tensor': withOptions(q),
        inherited: withOptions(Object.create({ wibble: 1 })),
        'params of prepareWeights': () => prepareWeights('dense', { weight }, { gian: 1 }),
        'a tensor among params': () => prepareWeights('dense', { weight }, { x }),
      }),
    ).toMatchInlineSnapshot(`
      {
        "a promise option": "UNKNOWN_OPTION attend: signal must be given to the operation of fovea/promises, for it has no use in a synchronous call; got an object.",
        "a required tensor": "UNKNOWN_OPTION attend: key must be given as an argument of its own; got the option key.",
        "a tensor": "UNKNOWN_OPTION attend: data must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option data.",
        "a tensor among params": "UNKNOWN_OPTION dense: x must be a parameter, of gain; got the parameter x.",
        "an array": "TYPE attend: options must be an object; got an array.",
        "another promise option": "UNKNOWN_OPTION attend: priority must be given to the operation of fovea/promises, for it has no use in a synchronous call; got 1.",
        "inherited": "UNKNOWN_OPTION attend: wibble must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option wibble.",
        "misspelled": "UNKNOWN_OPTION attend: casual must be spelled causal; got the option casual.",
        "not an object": "TYPE attend: options must be an object; got 3.",
        "null": "TYPE attend: options must be an object; got null.",
        "other case": "UNKNOWN_OPTION attend: SCALE must be spelled scale; got the option SCALE.",
        "params of prepareWeights": "UNKNOWN_OPTION dense: gian must be spelled gain; got the parameter gian.",
        "unknown": "UNKNOWN_OPTION attend: wibble must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option wibble.",
        "unknown and undefined": "UNKNOWN_OPTION attend: wibble must be one of scale, causal, align, window, slopes, mask, bias, lengths, extraKey, extraValue, outputs, into, threads; got the option wibble.",
      }
    `)
  })

  test('values', () => {
    expect(
      messages({
        'number as text': withOptions({ scale: '1' }),
        'number as bigint': withOptions({ scale: 1n }),
        'boxed number': withOptions({ scale: Object(1) }),
        NaN: withOptions({ scale: Number.NaN }),
        Infinity: withOptions({ scale: Number.POSITIVE_INFINITY }),
        'null for a number': withOptions({ scale: null }),
        'number for a boolean': withOptions({ causal: 1 }),
        'half an integer': withOptions({ window: 1.5 }),
        'integer of 2^53': withOptions({ window: 2 ** 53 }),
        'integer below its range': withOptions({ window: -2 }),
        'misspelled choice': withOptions({ align: 'topleft' }),
        'unknown choice': withOptions({ align: 'centre' }),
        'number for a choice': withOptions({ align: 0 }),
        'list element below its range': withParams({ stride: [1, 0] }),
        'list element of the wrong kind': withParams({ stride: [1, '2'] }),
        'sparse list': withParams({ stride: new Array(2) }),
        'list too long': withParams({ stride: [1, 1, 1] }),
        'list as text': withParams({ stride: '11' }),
        'default for more axes than there are numbers': () =>
          attend(
            { data: q.data, shape: [1, 2 ** 31, 0, 16] },
            { data: k.data, shape: [1, 1, 0, 16] },
            { data: k.data, shape: [1, 1, 0, 8] },
            { slopes: 2 },
          ),
        'number for a list that does not spread': withParams({ size: 2 }),
        'empty list': withParams({ pools: [] }),
        'unknown choice in a list': withParams({ pools: ['avg', 'maxx'] }),
        'other than implied': withParams({ groups: 2 }),
        'implied, but not whole': () => looseConv(floats(1, 5, 8, 9), { weight: kernel }),
        'above its bound': withParams({ mode: 'norm', eps: 0 }),
        'required and missing': () => looseRoute(x, x, weight, {}),
        'unused, but of the wrong kind': withParams({ eps: 'small' }),
      }),
    ).toMatchInlineSnapshot(`
      {
        "Infinity": "OPTION attend: scale must be a finite number; got Infinity.",
        "NaN": "OPTION attend: scale must be a finite number; got NaN.",
        "above its bound": "OPTION conv: eps must be a finite number above 0; got 0.",
        "boxed number": "TYPE attend: scale must be a finite number; got an object.",
        "default for more axes than there are numbers": "OPTION attend: slopes must stand for at most 65536 elements; got 2147483648.",
        "empty list": "OPTION conv: pools must have at least 1 element; got 0.",
        "half an integer": "OPTION attend: window must be a whole number of at least -1; got 1.5.",
        "implied, but not whole": "OPTION conv: groups must be a whole number of at least 1; got 2.5.",
        "integer below its range": "OPTION attend: window must be a whole number of at least -1; got -2.",
        "integer of 2^53": "OPTION attend: window must be a whole number of at least -1; got 9007199254740992.",
        "list as text": "TYPE conv: stride must be a whole number of at least 1; got "11".",
        "list element below its range": "OPTION conv: stride[1] must be a whole number of at least 1; got 0.",
        "list element of the wrong kind": "TYPE conv: stride[1] must be a whole number of at least 1; got "2".",
        "list too long": "OPTION conv: stride must have 2 elements; got 3.",
        "misspelled choice": "OPTION attend: align must be 'topLeft' or 'bottomRight'; got "topleft" ('topLeft' is near).",
        "null for a number": "TYPE attend: scale must be a finite number; got null.",
        "number as bigint": "TYPE attend: scale must be a finite number; got a bigint.",
        "number as text": "TYPE attend: scale must be a finite number; got "1".",
        "number for a boolean": "TYPE attend: causal must be true or false; got 1.",
        "number for a choice": "TYPE attend: align must be 'topLeft' or 'bottomRight'; got 0.",
        "number for a list that does not spread": "TYPE conv: size must be an array, each a whole number of at least 1; got 2.",
        "other than implied": "OPTION conv: groups must be 3, as weights.weight implies; got 2.",
        "required and missing": "OPTION route: decay must be a finite number of 0 to 1; got undefined.",
        "sparse list": "TYPE conv: stride[0] must be a whole number of at least 1; got undefined.",
        "unknown choice": "OPTION attend: align must be 'topLeft' or 'bottomRight'; got "centre".",
        "unknown choice in a list": "OPTION conv: pools[1] must be 'avg' or 'max'; got "maxx" ('max' is near).",
        "unused, but of the wrong kind": "TYPE conv: eps must be a finite number above 0; got "small".",
      }
    `)
  })

  test('reserved ones', () => {
    expect(
      messages({
        'threads 0': withOptions({ threads: 0 }),
        'threads 257': withOptions({ threads: 257 }),
        'threads NaN': withOptions({ threads: Number.NaN }),
        'threads as text': withOptions({ threads: '2' }),
        'outputs as text': withOptions({ outputs: 'lse' }),
        'outputs of numbers': withOptions({ outputs: [1] }),
        'outputs misspelled': withOptions({ outputs: ['lsd'] }),
        'outputs unknown': withOptions({ outputs: ['gradients'] }),
        'an output without meaning': withOptions({
          outputs: ['lse'],
          mask: { data: new Uint8Array(15), shape: [3, 5] },
        }),
        'memory for an output without meaning': withOptions({
          into: { lse: floats(2, 4, 3) },
          mask: { data: new Uint8Array(15), shape: [3, 5] },
        }),
        'into an array': withOptions({ into: [] }),
        'into unknown': withOptions({ into: { wibble: q } }),
        'into not a tensor': withOptions({ into: { out: 3 } }),
        'into other elements': withOptions({
          into: { out: { data: new Int32Array(192), shape: [2, 4, 3, 8] } },
        }),
        'into another rank': withOptions({ into: { out: floats(2, 4, 3, 8, 1) } }),
        'into another shape': withOptions({ into: { out: floats(2, 4, 8, 3) } }),
        'into too short': withOptions({
          into: { out: { data: new Float32Array(191), shape: [2, 4, 3, 8] } },
        }),
        'into one address': withOptions({
          into: { out: { data: new Float32Array(8), shape: [2, 4, 3, 8], strides: [0, 0, 0, 1] } },
        }),
        'into overlapping windows': withOptions({
          into: {
            out: { data: new Float32Array(80), shape: [2, 4, 3, 8], strides: [32, 8, 4, 1] },
          },
        }),
        'into an input': () =>
          attend(q, k, v, { into: { out: { data: q.data, shape: [2, 4, 3, 8] } } }),
        'into lengths': () => {
          const { buffer } = new Float32Array(192)
          const lengths = { data: new Int32Array(buffer, 8, 2), shape: [2] }
          attend(q, k, v, {
            lengths,
            into: { out: { data: new Float32Array(buffer), shape: [2, 4, 3, 8] } },
          })
        },
        'into a weight': () =>
          dense(x, { weight }, { into: { out: { data: weight.data, shape: [2, 4] } } }),
        'two outputs in one memory': () => {
          const data = new Float32Array(200)
          attend(q, k, v, {
            into: {
              out: { data, shape: [2, 4, 3, 8] },
              lse: { data, shape: [2, 4, 3], offset: 170 },
            },
          })
        },
        'an output that no memory holds': () => {
          const one = new Float32Array(1)
          const strides = [0, 0, 0, 0]
          const query = { data: one, shape: [2 ** 16, 2 ** 16, 1, 1], strides }
          const key = { data: one, shape: [2 ** 16, 2 ** 16, 1, 1], strides }
          attend(query, key, { data: one, shape: [2 ** 16, 2 ** 16, 1, 2 ** 10], strides })
        },
      }),
    ).toMatchInlineSnapshot(`
      {
        "an output that no memory holds": "MEMORY attend: out must fit into memory; got 17592186044416 bytes that could not be had.",
        "an output without meaning": "OUTPUT attend: outputs must not ask for lse where mask is given; got "lse".",
        "into a weight": "OVERLAP dense: into.out must share no memory with weights.weight; got memory of both.",
        "into an array": "TYPE attend: into must be an object of tensors by output; got an array.",
        "into an input": "OVERLAP attend: into.out must share no memory with query; got memory of both.",
        "into another rank": "RANK attend: into.out must have shape [2, 4, 3, 8]; got [2, 4, 3, 8, 1].",
        "into another shape": "SHAPE attend: into.out must have shape [2, 4, 3, 8]; got [2, 4, 8, 3].",
        "into lengths": "OVERLAP attend: into.out must share no memory with lengths; got memory of both.",
        "into not a tensor": "TYPE attend: into.out must be a tensor; got 3.",
        "into one address": "OVERLAP attend: into.out must give every element an address of its own; got strides [0, 0, 0, 1].",
        "into other elements": "TYPE attend: into.out must have float32 elements; got int32.",
        "into overlapping windows": "OVERLAP attend: into.out must give every element an address of its own; got strides [32, 8, 4, 1].",
        "into too short": "BOUNDS attend: into.out must lie inside its data of 191 elements; got elements 0 to 191.",
        "into unknown": "OUTPUT attend: into must name outputs, of out, lse, peak; got "wibble".",
        "memory for an output without meaning": "OUTPUT attend: into must not ask for lse where mask is given; got "lse".",
        "outputs as text": "TYPE attend: outputs must be an array of names; got "lse".",
        "outputs misspelled": "OUTPUT attend: outputs must name lse, spelled like this; got "lsd".",
        "outputs of numbers": "TYPE attend: outputs[0] must be the name of an output; got 1.",
        "outputs unknown": "OUTPUT attend: outputs must name outputs, of out, lse, peak; got "gradients".",
        "threads 0": "OPTION attend: threads must be a whole number of 1 to 256; got 0.",
        "threads 257": "OPTION attend: threads must be a whole number of 1 to 256; got 257.",
        "threads NaN": "OPTION attend: threads must be a whole number of 1 to 256; got NaN.",
        "threads as text": "TYPE attend: threads must be a whole number of 1 to 256; got "2".",
        "two outputs in one memory": "OVERLAP attend: into.lse must share no memory with into.out; got memory of both.",
      }
    `)
  })

  test('settings and names of operations', () => {
    expect(
      messages({
        'threads as text': () => setNumThreads('2' as never),
        'no threads': () => setNumThreads(0),
        'unknown operation': () => prepareWeights('danse', { weight }),
        'no operation': () => prepareWeights(7 as never, { weight }),
        'an operation without weights': () => prepareWeights('attend', {}),
      }),
    ).toMatchInlineSnapshot(`
      {
        "an operation without weights": "OPTION prepareWeights: op must name an operation that has weights; got "attend".",
        "no operation": "TYPE prepareWeights: op must be the name of an operation; got 7.",
        "no threads": "OPTION setNumThreads: threads must be a whole number of 1 to 256; got 0.",
        "threads as text": "TYPE setNumThreads: threads must be a whole number of 1 to 256; got "2".",
        "unknown operation": "OPTION prepareWeights: op must name an operation, such as dense; got "danse".",
      }
    `)
  })
})
