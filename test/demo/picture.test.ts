import { readFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decodePicture, encodePicture, type Picture } from '../../lib/demo/photo/picture.ts'
import { chunk, type Kind, png, signature } from './png.ts'

const size = { width: 11, height: 9 }

/** A pattern in which every pixel, row and column differs. */
const level = (x: number, y: number, most: number): number => (x * 7 + y * 13) % (most + 1)

const grey = (bitDepth: Kind['bitDepth']): Kind => ({
  ...size,
  colorType: 0,
  bitDepth,
  pixel: (x, y) => [level(x, y, 2 ** bitDepth - 1)],
})

function pixels({ width, height, rgb }: Picture): number[][] {
  return Array.from({ length: width * height }, (_, at) => [...rgb.subarray(at * 3, at * 3 + 3)])
}

function expected(of: (x: number, y: number) => readonly number[]): number[][] {
  return Array.from({ length: size.width * size.height }, (_, at) => [
    ...of(at % size.width, Math.floor(at / size.width)),
  ])
}

describe('every kind of PNG', () => {
  describe.each([false, true])('interlaced: %s', interlaced => {
    test.each([1, 2, 4, 8, 16] as const)('grey, %i bits', bitDepth => {
      const most = 2 ** bitDepth - 1
      const wide = (x: number, y: number) =>
        bitDepth === 16 ? level(x, y, 255) * 257 : level(x, y, most)
      const file = png({ ...grey(bitDepth), interlaced, pixel: (x, y) => [wide(x, y)] })
      const want = expected((x, y) => Array(3).fill(Math.round((wide(x, y) / most) * 255)))
      expect(pixels(decodePicture(file, 'grey.png'))).toEqual(want)
    })

    test.each([1, 2, 4, 8] as const)('palette, %i bits', bitDepth => {
      const most = 2 ** bitDepth - 1
      const palette = Array.from({ length: (most + 1) * 3 }, (_, at) => (at * 29) % 256)
      const kind: Kind = {
        ...size,
        colorType: 3,
        bitDepth,
        interlaced,
        palette,
        pixel: (x, y) => [level(x, y, most)],
      }
      const want = expected((x, y) =>
        palette.slice(3 * level(x, y, most), 3 * level(x, y, most) + 3),
      )
      expect(pixels(decodePicture(png(kind), 'palette.png'))).toEqual(want)
    })

    test.each([8, 16] as const)('RGB, %i bits', bitDepth => {
      const scale = bitDepth === 16 ? 257 : 1
      const rgb = (x: number, y: number) => [level(x, y, 255), level(y, x, 255), (x * y) % 256]
      const kind: Kind = {
        ...size,
        colorType: 2,
        bitDepth,
        interlaced,
        pixel: (x, y) => rgb(x, y).map(sample => sample * scale),
      }
      expect(pixels(decodePicture(png(kind), 'rgb.png'))).toEqual(expected(rgb))
    })

    test.each([4, 6] as const)('colour type %i is laid over white', colorType => {
      const kind: Kind = {
        ...size,
        colorType,
        bitDepth: 8,
        interlaced,
        pixel: x => [...Array(colorType === 4 ? 1 : 3).fill(0), x === 0 ? 0 : x === 1 ? 255 : 51],
      }
      const want = expected(x => Array(3).fill(x === 0 ? 255 : x === 1 ? 0 : 204))
      expect(pixels(decodePicture(png(kind), 'alpha.png'))).toEqual(want)
    })
  })

  test('a transparent grey and a transparent palette entry are white', () => {
    const cut = png({
      ...size,
      colorType: 0,
      bitDepth: 8,
      transparency: [0, 7],
      pixel: x => [x === 3 ? 7 : 9],
    })
    expect(pixels(decodePicture(cut, 'cut.png'))).toEqual(
      expected(x => Array(3).fill(x === 3 ? 255 : 9)),
    )
    const palette = [10, 20, 30, 40, 50, 60]
    const hole = png({
      ...size,
      colorType: 3,
      bitDepth: 1,
      palette,
      transparency: [0],
      pixel: x => [x % 2],
    })
    const want = expected(x => (x % 2 === 0 ? [255, 255, 255] : [40, 50, 60]))
    expect(pixels(decodePicture(hole, 'hole.png'))).toEqual(want)
  })

  test.each([1, 2, 3, 4, 5])('interlaced and %i pixels wide', width => {
    const kind: Kind = { ...grey(8), width, height: 3, interlaced: true }
    const want = Array.from({ length: width * 3 }, (_, at) =>
      Array(3).fill(level(at % width, Math.floor(at / width), 255)),
    )
    expect(pixels(decodePicture(png(kind), 'narrow.png'))).toEqual(want)
  })

  test('what encodePicture writes is read back', () => {
    const picture = {
      width: 3,
      height: 2,
      rgb: Uint8Array.from({ length: 18 }, (_, at) => at * 14),
    }
    expect(decodePicture(encodePicture(picture), 'own.png')).toEqual(picture)
  })
})

describe('other and damaged files are refused by name', () => {
  const whole = png({ ...grey(8), pixel: (x, y) => [level(x, y, 255)] })
  const header = (width: number, height: number, interlace = 0): Buffer => {
    const fields = Buffer.alloc(13)
    fields.writeUInt32BE(width, 0)
    fields.writeUInt32BE(height, 4)
    fields.set([8, 2, 0, 0, interlace], 8)
    return chunk('IHDR', fields)
  }
  const file = (...chunks: Buffer[]): Buffer =>
    Buffer.concat([signature, ...chunks, chunk('IEND', Buffer.alloc(0))])

  test.each([
    ['empty', Buffer.alloc(0), /must be a PNG picture; got an empty file/],
    [
      'text',
      Buffer.from('hello, this is no picture at all'),
      /got a file that does not begin like one/,
    ],
    [
      'JPEG',
      Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF', 'latin1'),
      /magick x.png picture.png.*got a JPEG file/,
    ],
    ['WebP', Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1'), /got a WebP file/],
    ['GIF', Buffer.from('GIF89a'), /got a GIF file/],
    ['signature alone', signature, /undamaged PNG picture; got one that has no header/],
    ['cut short', whole.subarray(0, whole.length - 20), /got one that ends before its last chunk/],
    ['no pixels', file(header(0, 5)), /is 0 x 5 pixels/],
    ['no data', file(header(5, 5)), /does not decode/],
    ['too few rows', file(header(5, 5), chunk('IDAT', deflateSync(Buffer.alloc(32)))), /undamaged/],
    [
      'too few rows, interlaced',
      file(header(5, 5, 1), chunk('IDAT', deflateSync(Buffer.alloc(7)))),
      /undamaged/,
    ],
    ['not deflated', file(header(5, 5), chunk('IDAT', Buffer.alloc(40, 7))), /does not decode/],
    [
      'unknown filter',
      file(header(5, 5), chunk('IDAT', deflateSync(Buffer.alloc(80, 9)))),
      /undamaged/,
    ],
    [
      'a gigapixel',
      file(header(40000, 30000)),
      /have at most 100 million pixels; got 40000 x 30000/,
    ],
    [
      'a bomb',
      file(header(5, 5, 1), chunk('IDAT', deflateSync(Buffer.alloc(20_000_000)))),
      /holds more data than its pixels need/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => decodePicture(bytes, 'x.png')).toThrow(message)
    expect(() => decodePicture(bytes, 'x.png')).toThrow(
      expect.objectContaining({ code: 'ERR_FOVEA_FILE', operation: 'demo', argument: 'x.png' }),
    )
  })

  test('no flipped or missing byte does more than that', () => {
    const shipped = readFileSync(new URL('../../assets/chelsea.png', import.meta.url))
    for (const original of [
      whole,
      shipped.subarray(0, 4000),
      png({ ...grey(4), interlaced: true }),
    ]) {
      for (let at = 0; at < original.length; at += Math.max(1, Math.floor(original.length / 400))) {
        const flipped = Buffer.from(original)
        flipped[at]! ^= 1 << (at % 8)
        for (const bytes of [flipped, original.subarray(0, at)]) {
          try {
            const { width, height, rgb } = decodePicture(bytes, 'x.png')
            expect(rgb.length).toBe(width * height * 3)
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_FOVEA_FILE' })
          }
        }
      }
    }
  })
})
