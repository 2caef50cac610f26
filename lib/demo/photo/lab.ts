import type { Picture } from './picture.ts'

/**
 * CIELAB (D65) of every pixel, scaled so that each channel spans about one: lightness/50 - 1, a/50, b/50.
 * Distances in it are close to the differences that people see, which is what the maps are judged by.
 */
export function toLab({ rgb }: Picture): Float32Array {
  const lab = new Float32Array(rgb.length)
  for (let at = 0; at < rgb.length; at += 3) {
    const r = linearLight[rgb[at]!]!
    const g = linearLight[rgb[at + 1]!]!
    const b = linearLight[rgb[at + 2]!]!
    const x = compress((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
    const y = compress(0.2126 * r + 0.7152 * g + 0.0722 * b)
    const z = compress((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
    lab[at] = (116 * y - 16) / 50 - 1
    lab[at + 1] = (500 * (x - y)) / 50
    lab[at + 2] = (200 * (y - z)) / 50
  }
  return lab
}

/** The sRGB transfer curve, inverted, of every byte. */
const linearLight = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
})

/** The cube root of CIE 1976 with its straight piece near black. */
function compress(t: number): number {
  return t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27) * (t / 116) + 16 / 116
}
