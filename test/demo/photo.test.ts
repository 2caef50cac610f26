import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { defaultScale } from '../../lib/demo/exhibits/shared/attention.ts'
import { tellAttention } from '../../lib/demo/exhibits/shared/tell.ts'
import { attentionMatrix, attentionOf } from '../../lib/demo/exhibits/shared/weights.ts'
import { filters } from '../../lib/demo/photo/filters.ts'
import { fitPicture } from '../../lib/demo/photo/fit.ts'
import { type Scale, type Spot, tokenAt } from '../../lib/demo/photo/grid.ts'
import { type Photo, readPhoto } from '../../lib/demo/photo/photo.ts'
import { decodePicture } from '../../lib/demo/photo/picture.ts'
import { chelseaSpots, findSpots } from '../../lib/demo/photo/spots.ts'
import { scaledDotProductAttention, type Tensor, tensor } from '../../lib/index.ts'

let photo: Photo
beforeAll(() => {
  const bytes = readFileSync(new URL('../../assets/chelsea.png', import.meta.url))
  photo = readPhoto('chelsea', fitPicture(decodePicture(bytes, 'chelsea.png')), chelseaSpots)
})

const attend = (query: Tensor, key: Tensor, value: Tensor): Tensor =>
  scaledDotProductAttention(query, key, value, { scale: defaultScale(query) }).out

/** Weights of one query by colour and texture. */
function weightsFrom(tokens: Scale, spot: Spot): Float32Array {
  const { data, shape, strides } = tokens.appearance
  const offset = tokenAt(tokens, spot) * strides[2]!
  const query = tensor(data, [1, 1, 1, shape[3]!], { strides, offset })
  return attentionOf(query, tokens.count, (q, value) => attend(q, tokens.appearance, value))[0]!
}

/** The mean weight within 24 px of a place, against an even share. */
function share(tokens: Scale, weights: Float32Array, { x, y }: { x: number; y: number }): number {
  const near = [...weights].filter((_, token) => {
    const dx = ((token % tokens.columns) + 0.5) * tokens.patch - x
    const dy = (Math.floor(token / tokens.columns) + 0.5) * tokens.patch - y
    return Math.hypot(dx, dy) < 24
  })
  return (near.reduce((sum, weight) => sum + weight, 0) / near.length) * tokens.count
}

const spot = (name: string): Spot => chelseaSpots.find(each => each.name === name)!

describe('the tokens', () => {
  test('cover the picture at two scales', () => {
    expect([photo.picture.width, photo.picture.height]).toEqual([448, 288])
    expect([photo.coarse.rows, photo.coarse.columns, photo.coarse.patch]).toEqual([18, 28, 16])
    expect([photo.fine.rows, photo.fine.columns, photo.fine.patch]).toEqual([36, 56, 8])
    expect(photo.fine.tokens.shape).toEqual([1, 2016, 96])
    expect(photo.coarse.heads.shape).toEqual([1, 3, 504, 32])
    expect(photo.coarse.heads.data).toBe(photo.coarse.tokens.data)
  })

  test('have heads of one length, so that a product is a cosine', () => {
    const { data } = photo.fine.tokens
    for (let from = 0; from < data.length; from += 32) {
      const square = data.subarray(from, from + 32).reduce((sum, value) => sum + value * value, 0)
      expect(square).toBeCloseTo(32, 1)
    }
  })

  test('the feature map has 16 named channels from 0 to 1', () => {
    const { tensor: map, channels } = photo.map
    expect(new Set(channels).size).toBe(16)
    expect(map.shape).toEqual([1, 16, 36, 56])
    for (let c = 0; c < 16; c++) {
      const channel = map.data.subarray(c * 2016, (c + 1) * 2016)
      expect([Math.min(...channel), Math.max(...channel)]).toEqual([0, 1])
    }
  })
})

describe('attention finds what is alike', () => {
  test.each([
    ['the left eye', 'the right eye', 'the background'],
    ['the background', 'the background', 'the nose'],
    ['the forehead', 'the forehead', 'the background'],
  ])('%s attends to %s rather than to %s', (from, to, not) => {
    for (const tokens of [photo.coarse, photo.fine]) {
      const weights = weightsFrom(tokens, spot(from))
      expect(share(tokens, weights, spot(to))).toBeGreaterThan(3)
      expect(share(tokens, weights, spot(to))).toBeGreaterThan(
        5 * share(tokens, weights, spot(not)),
      )
    }
  })

  test('and tells which place answers', () => {
    const weights = weightsFrom(photo.fine, spot('the left eye'))
    expect(tellAttention(photo, photo.fine, weights, spot('the left eye'))).toMatch(
      /^\d+ of 2,016 patches hold half of the attention\. Of the other places, the right eye answers most: \d+ times an even share\.$/,
    )
  })

  test('the identity as values gives the weights, one row a query', () => {
    const { coarse } = photo
    const { heads } = coarse
    const matrix = attentionMatrix(504, 3, value => attend(heads, heads, value))
    expect(matrix.length).toBe(504 * 504)
    for (let query = 0; query < 504; query += 50) {
      const row = matrix.subarray(query * 504, (query + 1) * 504)
      expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4)
      expect(row.indexOf(Math.max(...row))).toBe(query)
    }
  })
})

describe('places in other pictures', () => {
  const made = (
    width: number,
    height: number,
    colour: (x: number, y: number) => number[],
  ): Photo => {
    const rgb = new Uint8Array(width * height * 3)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) rgb.set(colour(x, y), (y * width + x) * 3)
    return readPhoto('made', fitPicture({ width, height, rgb }))
  }

  test('the patch that is unlike the rest is found first', () => {
    const { spots } = made(256, 192, (x, y) =>
      x >= 160 && x < 176 && y >= 48 && y < 64 ? [220, 30, 30] : [90, 90, 90],
    )
    expect(spots.length).toBe(4)
    expect(Math.abs(spots[0]!.x - 168)).toBeLessThanOrEqual(16)
    expect(Math.abs(spots[0]!.y - 56)).toBeLessThanOrEqual(16)
    expect(new Set(spots.map(({ name }) => name)).size).toBe(4)
  })

  test('a picture of one colour has four different places and finite tokens', () => {
    const { coarse, fine, spots } = made(64, 64, () => [0, 0, 0])
    expect(new Set(spots.map(({ x, y }) => `${x} ${y}`)).size).toBe(4)
    expect(spots.map(({ name }) => name)).toEqual([...new Set(spots.map(({ name }) => name))])
    for (const { tokens } of [coarse, fine]) expect(tokens.data.every(Number.isFinite)).toBe(true)
    expect(findSpots(coarse)).toEqual(spots)
  })
})

test('the filters are 32, differ by name, and are means or differences', () => {
  expect(filters.length).toBe(32)
  expect(new Set(filters.map(({ name }) => name)).size).toBe(32)
  filters.forEach(({ taps }, index) => {
    expect(taps.reduce((sum, tap) => sum + tap, 0)).toBeCloseTo(index < 3 ? 1 : 0, 6)
    expect(taps.reduce((sum, tap) => sum + Math.abs(tap), 0)).toBeCloseTo(1, 6)
  })
})
