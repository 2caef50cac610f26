/**
 * The filter bank that turns a window of pixels into numbers: what the first layer of a vision network
 * learns, written down by hand, so that the maps mean something without any trained weights.
 */

/** Windows are square, this many pixels a side, and overlap their neighbours by half. */
export const windowSize = 8
/** Pixels from one window to the next. */
export const windowStep = 4

/** Scales the responses so that an ordinary edge lies well past the bend of GELU, and noise within it. */
export const contrastGain = 12

const orientations = 6
const wavelengths = [4, 7]

/** A filter over one window of CIELAB pixels; `signed` ones keep their sign, the others count as energy. */
export interface Filter {
  readonly name: string
  readonly signed: boolean
  /** Filters of one group are phases of one thing: their energies are added. */
  readonly group: string
  readonly taps: Float32Array
}

/** A value at a pixel of the window, seen from its centre. */
type Shape = (x: number, y: number) => number

/** 32 filters: mean colour, blobs, colour edges, and pairs of stripes in six directions at two sizes. */
export const filters: readonly Filter[] = [
  ...['lightness', 'green to red', 'blue to yellow'].map((name, channel) =>
    filter(name, name, true, channel, 'sum', envelope(2.4)),
  ),
  filter('dark or bright spot', 'spot', true, 0, 'balanced', (x, y) => {
    const r2 = x * x + y * y
    return Math.exp(-r2 / 4) - 0.35 * Math.exp(-r2 / 12)
  }),
  ...[1, 2].flatMap(channel =>
    [0, 90].map(degrees =>
      filter(
        `colour edge ${channel === 1 ? 'green/red' : 'blue/yellow'} ${degrees}°`,
        `colour edge ${channel === 1 ? 'green/red' : 'blue/yellow'}`,
        false,
        channel,
        'balanced',
        stripes(degrees, 9, Math.PI / 2),
      ),
    ),
  ),
  ...wavelengths.flatMap(wavelength =>
    Array.from({ length: orientations }, (_, k) => (k * 180) / orientations).flatMap(degrees =>
      [0, Math.PI / 2].map(phase =>
        filter(
          `stripes ${degrees}° every ${wavelength} px, ${phase === 0 ? 'even' : 'odd'}`,
          `stripes ${degrees}° every ${wavelength} px`,
          false,
          0,
          'balanced',
          stripes(degrees, wavelength, phase),
        ),
      ),
    ),
  ),
]

/**
 * The weights of the first linear layer: every filter and its negative, [64, 192]. With GELU after them both
 * readings can be had: gelu(r) - gelu(-r) = r, and gelu(r) + gelu(-r) is a smooth |r|.
 */
export function filterWeights(): Float32Array {
  const inputs = windowSize * windowSize * 3
  const weights = new Float32Array(2 * filters.length * inputs)
  filters.forEach(({ taps }, f) => {
    taps.forEach((tap, at) => {
      weights[2 * f * inputs + at] = contrastGain * tap
      weights[(2 * f + 1) * inputs + at] = -contrastGain * tap
    })
  })
  return weights
}

function envelope(sigma: number): Shape {
  return (x, y) => Math.exp(-(x * x + y * y) / (2 * sigma * sigma))
}

/** A Gabor function: stripes at an angle under a Gaussian envelope. */
function stripes(degrees: number, wavelength: number, phase: number): Shape {
  const angle = (degrees * Math.PI) / 180
  const soft = envelope(2)
  return (x, y) => {
    const across = x * Math.cos(angle) + y * Math.sin(angle)
    return soft(x, y) * Math.cos((2 * Math.PI * across) / wavelength + phase)
  }
}

/** `sum`: taps add to one (a mean). `balanced`: they add to zero and their magnitudes to one (a difference). */
function filter(
  name: string,
  group: string,
  signed: boolean,
  channel: number,
  norm: 'sum' | 'balanced',
  shape: Shape,
): Filter {
  const middle = (windowSize - 1) / 2
  const values = Array.from({ length: windowSize ** 2 }, (_, at) =>
    shape((at % windowSize) - middle, Math.floor(at / windowSize) - middle),
  )
  const mean = norm === 'sum' ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
  const centred = values.map(value => value - mean)
  const total = centred.reduce((sum, value) => sum + Math.abs(value), 0)
  const taps = new Float32Array(windowSize ** 2 * 3)
  centred.forEach((value, at) => {
    taps[at * 3 + channel] = value / total
  })
  return { name, group, signed, taps }
}
