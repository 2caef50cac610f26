import { crc32, deflateSync } from 'node:zlib'

/** What a PNG file says of itself, written out here so that nothing of it passes through the reader's library. */
export interface Kind {
  readonly width: number
  readonly height: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  readonly colorType: 0 | 2 | 3 | 4 | 6
  readonly bitDepth: 1 | 2 | 4 | 8 | 16
  readonly interlaced?: boolean
  readonly palette?: readonly number[]
  readonly transparency?: readonly number[]
  /** Samples of a pixel, each below 2 ** bitDepth. */
  readonly pixel: (x: number, y: number) => readonly number[]
}

/** Adam7: first column and row, and the steps, of each pass. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

export function png(kind: Kind): Buffer {
  const { width, height, colorType, bitDepth, interlaced = false, palette, transparency } = kind
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([bitDepth, colorType, 0, 0, interlaced ? 1 : 0], 8)
  const images = interlaced ? passes : ([[0, 0, 1, 1]] as const)
  const raw = Buffer.concat(images.map(pass => scanlines(kind, pass)))
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...(palette === undefined ? [] : [chunk('PLTE', Buffer.from(palette))]),
    ...(transparency === undefined ? [] : [chunk('tRNS', Buffer.from(transparency))]),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

export const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

function scanlines(
  { width, height, bitDepth, pixel }: Kind,
  [left, top, stepX, stepY]: readonly [number, number, number, number],
): Buffer {
  const lines: Buffer[] = []
  for (let y = top; y < height; y += stepY) {
    const samples: number[] = []
    for (let x = left; x < width; x += stepX) samples.push(...pixel(x, y))
    if (samples.length > 0) lines.push(Buffer.concat([Buffer.from([0]), pack(samples, bitDepth)]))
  }
  return Buffer.concat(lines)
}

function pack(samples: readonly number[], bitDepth: number): Buffer {
  if (bitDepth === 8) return Buffer.from(samples)
  if (bitDepth === 16) return Buffer.from(samples.flatMap(sample => [sample >> 8, sample & 255]))
  const bytes = Buffer.alloc(Math.ceil((samples.length * bitDepth) / 8))
  samples.forEach((sample, index) => {
    const bit = index * bitDepth
    bytes[bit >> 3]! |= sample << (8 - bitDepth - (bit & 7))
  })
  return bytes
}
