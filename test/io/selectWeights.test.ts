import { expect, test } from 'vitest'
import { selectWeights } from '../../lib/io/selectWeights.ts'

test('keeps what starts with the prefix, and strips it', () => {
  const tensors = { 'a.weight': 1, 'a.bias': 2, 'ab.weight': 3, b: 4 }
  expect(selectWeights(tensors, 'a.')).toStrictEqual({ weight: 1, bias: 2 })
  expect(selectWeights(tensors, 'a')).toStrictEqual({ '.weight': 1, '.bias': 2, 'b.weight': 3 })
  expect(selectWeights(tensors, '')).toStrictEqual(tensors)
  expect(selectWeights(tensors, 'c')).toStrictEqual({})
})

test('takes any name for a name', () => {
  const tensors = Object.fromEntries([['a.__proto__', 1]])
  expect(Object.entries(selectWeights(tensors, 'a.'))).toEqual([['__proto__', 1]])
})

test('refuses what is no record or no prefix', () => {
  const type = expect.objectContaining({ code: 'ERR_FOVEA_TYPE', name: 'TypeError' })
  expect(() => selectWeights(null as never, 'a')).toThrow(type)
  expect(() => selectWeights({}, undefined as never)).toThrow(type)
})
