import type { Weights } from '../core/call/prepared.ts'
import { choice, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Names of timm's LocallyGroupedAttn. */
export interface TwinsLsaBlockWeights {
  /** [3 C, C], rows of query, key, value, each heads x D. */
  readonly 'qkv.weight': TensorLike
  /** [3 C]. */
  readonly 'qkv.bias'?: TensorLike | undefined
  /** [C, C]. */
  readonly 'proj.weight': TensorLike
  /** [C]. */
  readonly 'proj.bias': TensorLike
}

/** Parameters of {@link twinsLsaBlock}. */
export interface TwinsLsaBlockOptions {
  /** Divides C. */
  readonly heads: number
  /** Rows and columns of a window, at least 2; may exceed the map. */
  readonly windowSize: number
  /** Rows of the map of tokens. */
  readonly height: number
  /** Columns of the map. */
  readonly width: number
  /**
   * Positions of a window beyond the map: tokens of zeros before the projection, so keys and values that
   * are the bias (zeros, default, as timm), or none at all (exclude).
   */
  readonly padMode?: 'zeros' | 'exclude' | undefined
}

/**
 * The locally-grouped attention module (Twins-SVT, Chu et al. 2021, sec. 3.3) with its projections, as timm's
 * LocallyGroupedAttn: `out = proj(attention inside each window of qkv(x))`, scale 1/sqrt(C / heads).
 *
 * Shapes: x and out [B, N, C] with N = height * width, tokens in reading order; windows begin at (0, 0).
 * Scratch: 16 B N C bytes, with plain weights the packed weights too.
 *
 * @throws RangeError ERR_FOVEA_OPTION where heads does not divide C; ERR_FOVEA_SHAPE where there are not
 * height * width tokens; ERR_FOVEA_WEIGHT_SHAPE. TypeError ERR_FOVEA_WEIGHT_MISSING,
 * ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { tensor, twinsLsaBlock } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const weights = { 'qkv.weight': full(24, 8), 'proj.weight': full(8, 8), 'proj.bias': full(8) }
 * const { out } = twinsLsaBlock(full(1, 30, 8), weights, { heads: 2, windowSize: 3, height: 5, width: 6 })
 * ```
 */
export const twinsLsaBlock = operation<
  [x: TensorLike, weights: Weights<TwinsLsaBlockWeights, 'twinsLsaBlock'>],
  TwinsLsaBlockOptions
>({
  name: 'twinsLsaBlock',
  summary: 'Attention inside the windows of a map, with its projections',
  paper: 'Chu et al. 2021, Twins: Revisiting the Design of Spatial Attention, sec. 3.3',
  tensors: { x: { shape: 'B N C' } },
  outputs: { out: { shape: 'B N C' } },
  weights: {
    'qkv.weight': { shape: '3C C' },
    'qkv.bias': { shape: '3C', optional: true },
    'proj.weight': { shape: 'C C' },
    'proj.bias': { shape: 'C' },
  },
  params: {
    heads: integer({ min: 1 }),
    windowSize: integer({ min: 2 }),
    height: integer({ min: 1, perCall: true }),
    width: integer({ min: 1, perCall: true }),
    padMode: choice(['zeros', 'exclude'], { default: 'zeros' }),
  },
  check(c) {
    const [width, heads] = [c.dim('C'), c.number('heads')]
    if (width % heads !== 0) c.fail('heads', 'ERR_FOVEA_OPTION', `divide the width ${width}`, heads)
    const tokens = c.number('height') * c.number('width')
    if (c.dim('N') !== tokens)
      c.fail('x', 'ERR_FOVEA_SHAPE', `have height * width = ${tokens} tokens`, c.dim('N'))
  },
})
