import { expect, test, vi } from 'vitest'

vi.mock('../../lib/core/addon.ts', () => import('./stubNative.ts'))

import { number } from '../../lib/core/declaration/params.ts'
import { callByName, callByNameAsync, definitions, operation } from '../../lib/core/operation.ts'
import { attend } from './operations.ts'
import { behaviour, crossed } from './stubNative.ts'

const floats = (...shape: number[]) => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  shape,
})
const qkv = { query: floats(1, 2, 3, 4), key: floats(1, 2, 5, 4), value: floats(1, 2, 5, 6) }

test('every declaration is known by its name, as data', () => {
  expect([...definitions.keys()]).toEqual(['attend', 'dense', 'conv', 'route'])
  expect(definitions.get('attend')?.tensors.mask).toEqual({
    shape: 'B H Lq Lk',
    dtype: 'uint8',
    broadcast: true,
    optional: true,
  })
  expect(definitions.get('attend')?.params?.scale?.default).toMatchObject({ text: '1/sqrt(D)' })
  expect(attend.name).toBe('attend')
})

test('a call by name gives every output that the arguments leave a meaning', async () => {
  const all = callByName('attend', qkv, { causal: true }, { threads: 2 })
  expect(Object.keys(all)).toEqual(['out', 'lse', 'peak'])
  expect(crossed.at(-1)).toMatchObject({ threads: 2 })
  expect(crossed.at(-1)!.params[1]).toBe(1)
  const mask = { data: new Uint8Array(15), shape: [3, 5] }
  expect(Object.keys(callByName('attend', { ...qkv, mask }, {}))).toEqual(['out', 'peak'])
  const later = await callByNameAsync('attend', { ...qkv, mask }, {}, { priority: 3 })
  expect(Object.keys(later)).toEqual(['out', 'peak'])
  expect(behaviour.priority).toBe(3)
})

test('weights come as weights.NAME, in any order among the tensors', () => {
  const tensors = {
    'weights.norm.running_var': floats(4),
    'weights.weight': floats(4, 2, 3, 3),
    x: floats(1, 6, 8, 9),
    'weights.norm.running_mean': floats(4),
  }
  const { out } = callByName('conv', tensors, { mode: 'norm', stride: [2, 3] })
  expect(out!.shape).toEqual([1, 4, 4, 3])
})

test('a tensor that a parameter makes absent is left out', () => {
  const tensors = { query: floats(5, 3), centroids: floats(7, 3) }
  const outputs = callByName('route', tensors, { shared: true, decay: 0 })
  expect(Object.keys(outputs)).toEqual(['assignments', 'distances'])
})

test('what does not fit is an error of the operation', async () => {
  expect(() => callByName('atend', {}, {})).toThrow(
    'fovea: op must name an operation, such as attend; got "atend".',
  )
  await expect(callByNameAsync('wibble', {}, {})).rejects.toThrow(/must name an operation; got/)
  expect(() => callByName('attend', { query: qkv.query }, {})).toThrow(/attend: key must be/)
  expect(() => callByName('attend', { ...qkv, keys: qkv.key }, {})).toThrow(
    'attend: keys must be spelled key',
  )
  expect(() => callByName('attend', { ...qkv, 'weights.q': qkv.key }, {})).toThrow(TypeError)
  expect(() => callByName('attend', qkv, { causal: null })).toThrow(/causal must be true or false/)
})

test('a declaration that contradicts itself is refused where it stands', () => {
  const tensors = { x: { shape: '... N' } }
  const outputs = { out: { shape: '... N' } }
  const declare = (wrong: object) => () =>
    operation({ name: 'odd', summary: '', tensors, outputs, params: { a: number() }, ...wrong })
  expect(declare({ tensors: { x: { shape: 'N', optional: true }, y: { shape: 'N' } } })).toThrow(
    'odd: required tensors stand before optional ones',
  )
  expect(declare({ tensors: { x: { shape: '... *S' } } })).toThrow('two runs')
  expect(declare({ tensors: { x: { shape: 'N%2' } } })).toThrow("'N%2' is no axis")
})
