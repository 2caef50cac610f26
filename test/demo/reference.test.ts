import { expect, test } from 'vitest'
import {
  attention,
  gelu,
  layerNorm,
  linear,
  means,
  softmax,
} from '../../lib/demo/exhibits/shared/reference.ts'

test('gelu to fifteen figures, also where 1 + erf would lose them', () => {
  // x Phi(x) with Phi from tables of the normal distribution.
  const want = new Map([
    [0, 0],
    [1, 0.841344746068543],
    [-1, -0.158655253931457],
    [3, 2.995950305905098],
    [-3, -0.00404969409489031],
    [-10, -7.61985302416052e-23],
    [20, 20],
  ])
  const got = gelu([...want.keys()])
  ;[...want.values()].forEach((value, index) => {
    expect(Math.abs(got[index]! - value)).toBeLessThanOrEqual(1e-13 * Math.abs(value))
  })
})

test('linear, layerNorm, softmax and means by hand', () => {
  expect([...linear([1, 2, 3, 4], [1, 0, 1, 1, 0, 2], [10, 20, 30], 2, 2)]).toEqual([
    11, 23, 34, 13, 27, 38,
  ])
  expect([...layerNorm([1, 3, 5, 5], 2, 0)].slice(0, 2)).toEqual([-1, 1])
  expect([...softmax([0, 0, 1e4, 0], 2)]).toEqual([0.5, 0.5, 1, 0])
  expect([...means([1, 3, 5, 7], 2)]).toEqual([2, 6])
})

test('attention through strides, over the keys that are seen', () => {
  const rows = (data: number[], heads: number, length: number, size: number) => ({
    data,
    shape: [1, heads, length, size],
    // Heads side by side in each row, as the tokens have them.
    strides: [0, size, heads * size, 1],
    offset: 0,
  })
  const query = rows([0, 5, 0, 5], 2, 2, 1)
  const value = rows([1, 10, 3, 30], 2, 2, 1)
  expect([...attention(query, query, value, 1)]).toEqual([2, 2, 20, 20])
  const diagonal = attention(query, query, value, 1, (i, j) => i === j)
  expect([...diagonal]).toEqual([1, 3, 10, 30])
  expect([...attention(query, query, value, 1, i => i === 1)]).toEqual([0, 2, 0, 20])
})
