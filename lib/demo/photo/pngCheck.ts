import { inflateSync } from 'node:zlib'
import { foveaError } from '../../core/errors.ts'

/** Larger files are refused before anything is decoded: 100 million pixels need 400 MB as RGBA. */
const maxPixels = 100e6

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Samples of a pixel, by colour type: grey, RGB, palette index, grey and alpha, RGBA. */
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** First column and row of each pass of an interlaced picture, and the steps to the next. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/**
 * Refuses what pngjs would not: it takes the pixels of a plain picture as far as they go, leaving the rest
 * to chance, and inflates those of an interlaced one without a bound.
 * @throws FoveaError ERR_FOVEA_FILE
 */
export function checkPng(file: Buffer, name: string): void {
  if (file.length === 0) throw unfit(name, 'be a PNG picture', 'an empty file')
  if (!file.subarray(0, 8).equals(signature)) throw notPng(file, name)
  if (file.length < 33 || file.toString('latin1', 12, 16) !== 'IHDR') {
    throw damaged(name, 'has no header')
  }
  const width = file.readUInt32BE(16)
  const height = file.readUInt32BE(20)
  if (width === 0 || height === 0) throw damaged(name, `is ${width} x ${height} pixels`)
  if (width * height > maxPixels) {
    throw unfit(name, `have at most ${maxPixels / 1e6} million pixels`, `${width} x ${height}`)
  }
  const bits = file[24]! * (samples[file[25]!] ?? 0)
  if (bits === 0 || file[28]! > 1) throw damaged(name, 'is of no kind that PNG knows')
  const needed = inflatedBytes(width, height, bits, file[28] === 1)
  let inflated: Buffer
  try {
    inflated = inflateSync(pixelData(file, name), { maxOutputLength: needed + 65536 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw damaged(
      name,
      code === 'ERR_BUFFER_TOO_LARGE'
        ? 'holds more data than its pixels need'
        : `does not decode (${message})`,
    )
  }
  if (inflated.length < needed) throw damaged(name, 'lacks pixels')
}

export function damaged(name: string, how: string): Error {
  return unfit(name, 'be an undamaged PNG picture', `one that ${how}`)
}

export function unfit(name: string, rule: string, received: string): Error {
  return foveaError('demo', name, 'ERR_FOVEA_FILE', rule, received)
}

/** Every line of every pass begins with a byte that names its filter. */
function inflatedBytes(width: number, height: number, bits: number, interlaced: boolean): number {
  const images = interlaced ? passes : ([[0, 0, 1, 1]] as const)
  return images.reduce((total, [left, top, stepX, stepY]) => {
    const columns = Math.ceil((width - left) / stepX)
    const rows = Math.ceil((height - top) / stepY)
    return columns > 0 && rows > 0 ? total + rows * (1 + Math.ceil((columns * bits) / 8)) : total
  }, 0)
}

/** All IDAT chunks in a row. */
function pixelData(file: Buffer, name: string): Buffer {
  const parts: Buffer[] = []
  for (let at = 8; ; ) {
    if (at + 12 > file.length) throw damaged(name, 'ends before its last chunk')
    const length = file.readUInt32BE(at)
    const type = file.toString('latin1', at + 4, at + 8)
    if (type === 'IEND') return Buffer.concat(parts)
    if (type === 'IDAT') parts.push(file.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
}

function notPng(file: Buffer, name: string): Error {
  const format = otherFormat(file)
  return format === undefined
    ? unfit(name, 'be a PNG picture', 'a file that does not begin like one')
    : unfit(
        name,
        `be a PNG picture (as \`magick ${name} picture.png\` would write it)`,
        `a ${format} file`,
      )
}

function otherFormat(file: Buffer): string | undefined {
  const head = file.toString('latin1', 0, 16)
  if (head.startsWith('\xff\xd8\xff')) return 'JPEG'
  if (head.startsWith('GIF8')) return 'GIF'
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'WebP'
  if (head.startsWith('BM')) return 'BMP'
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'TIFF'
  if (head.slice(4, 8) === 'ftyp') return head.slice(8, 12).startsWith('avi') ? 'AVIF' : 'HEIC'
  return undefined
}
