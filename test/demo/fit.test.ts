import { describe, expect, test } from 'vitest'
import { fitPicture } from '../../lib/demo/photo/fit.ts'
import type { Picture } from '../../lib/demo/photo/picture.ts'

function picture(
  width: number,
  height: number,
  colour: (x: number, y: number) => number[],
): Picture {
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rgb.set(colour(x, y), (y * width + x) * 3)
  }
  return { width, height, rgb }
}

const plain = () => [10, 120, 250]

describe('the working size', () => {
  test.each([
    [448, 288, 448, 288, '448 × 288 px'],
    [451, 300, 448, 288, '451 × 300 px, trimmed to 448 × 288'],
    [900, 900, 512, 512, '900 × 900 px, averaged down to 512 × 512'],
    [1920, 1080, 672, 384, '1920 × 1080 px, averaged down to 682 × 384, trimmed to 672 × 384'],
    [1, 1, 64, 64, '1 × 1 px, enlarged to 64 × 64'],
    [50, 400, 64, 400, '50 × 400 px, enlarged to 64 × 400'],
    [9000, 3, 4096, 64, '9000 × 3 px, enlarged to 4096 × 64'],
    [1, 40_000, 64, 4096, '1 × 40000 px, enlarged to 64 × 4096'],
  ])('%i x %i becomes %i x %i', (width, height, wide, high, note) => {
    const fitted = fitPicture(picture(width, height, plain))
    expect([fitted.picture.width, fitted.picture.height, fitted.note]).toEqual([wide, high, note])
    // Averages of one colour are that colour, wherever the weights fall.
    expect(new Set(fitted.picture.rgb)).toEqual(new Set(plain()))
    expect(fitted.picture.rgb.length).toBe(wide * high * 3)
  })

  test('trims both ends alike', () => {
    const { picture: trimmed } = fitPicture(picture(70, 68, (x, y) => [x, y, 0]))
    expect([...trimmed.rgb.subarray(0, 3)]).toEqual([3, 2, 0])
    expect([...trimmed.rgb.subarray(-3)]).toEqual([66, 65, 0])
  })

  test('averages stripes finer than a pixel to their mean', () => {
    const striped = picture(1024, 1024, x => (x % 2 === 0 ? [0, 0, 0] : [200, 200, 200]))
    const { picture: small } = fitPicture(striped)
    // At the rim the average has one side only.
    const inner = small.rgb.subarray(3 * 512 * 100 + 9, 3 * 512 * 101 - 9)
    expect(new Set(inner)).toEqual(new Set([100]))
  })
})
