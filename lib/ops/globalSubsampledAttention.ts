import type { Weights } from '../core/call/prepared.ts'
import { dynamic, integer, number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Names of timm's GlobalSubSampleAttn. */
export interface GlobalSubsampledAttentionWeights {
  /** [C, C]. */
  readonly 'q.weight': TensorLike
  /** [2 C, C], rows of key, then value. */
  readonly 'kv.weight': TensorLike
  /** [C, C]. */
  readonly 'proj.weight': TensorLike
  /** [C]. */
  readonly 'proj.bias': TensorLike
  /** [C], with kv.bias or neither. */
  readonly 'q.bias'?: TensorLike | undefined
  /** [2 C]. */
  readonly 'kv.bias'?: TensorLike | undefined
  /** [C, C, r, r]; the four from here on where r is above 1. */
  readonly 'sr.weight'?: TensorLike | undefined
  /** [C]. */
  readonly 'sr.bias'?: TensorLike | undefined
  /** [C]. */
  readonly 'norm.weight'?: TensorLike | undefined
  /** [C]. */
  readonly 'norm.bias'?: TensorLike | undefined
}

/** Parameters of {@link globalSubsampledAttention}. */
export interface GlobalSubsampledAttentionOptions {
  /** Divides C. */
  readonly heads: number
  /** r: the map is reduced by so much along either side. Implied by the kernel of sr.weight, 1 without it. */
  readonly srRatio?: number | undefined
  /** Rows of the map, at least r. */
  readonly height: number
  /** Columns of the map, at least r. */
  readonly width: number
  /** Added to the variance of the norm. Default 1e-5. */
  readonly normEps?: number | undefined
}

/**
 * Global sub-sampled attention (Twins-SVT, Chu et al. 2021, sec. 3.3), which is the spatial reduction
 * attention of PVT (Wang et al. 2021), as timm's GlobalSubSampleAttn: every token of a map asks one
 * key for each patch of r x r tokens.
 *
 *     y = LayerNorm(conv(x, kernel r, stride r)),   K, V = y Wkv^T + bkv,   Q = x Wq^T + bq
 *     out = concat_h(softmax(Q_h K_h^T / sqrt(D)) V_h) Wproj^T + bproj
 *
 *     ┌ ─ ─ ┬ ─ ─ ┐ .
 *     │ . . │ . . │ .     r = 2: of a map of 4 x 5 every token, here ●, sees the four patches;
 *     ├ ─ ● ┼ ─ ─ ┤ .     rows and columns that do not fill a patch are asked by nobody
 *     │ . . │ . . │ .
 *     └ ─ ─ ┴ ─ ─ ┘ .
 *
 * Shapes: x and out [B, N, C], N = height * width, row by row. r = 1 takes keys and values from x itself.
 *
 * Scratch: 12 B C M bytes for M = floor(height / r) floor(width / r) keys, with plain weights the packed
 * weights too; 3.3 MB and 1.5 KB C a thread.
 *
 * @throws RangeError ERR_FOVEA_OPTION where heads does not divide C, srRatio is not the kernel's or exceeds a
 * side of the map; ERR_FOVEA_SHAPE where N is not height * width; ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { globalSubsampledAttention, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const weights = {
 *   'q.weight': full(8, 8),
 *   'kv.weight': full(16, 8),
 *   'proj.weight': full(8, 8),
 *   'proj.bias': full(8),
 *   'sr.weight': full(8, 8, 2, 2),
 *   'sr.bias': full(8),
 *   'norm.weight': full(8),
 *   'norm.bias': full(8),
 * }
 * const { out } = globalSubsampledAttention(full(1, 24, 8), weights, { heads: 2, height: 4, width: 6 })
 * ```
 */
export const globalSubsampledAttention = operation<
  [x: TensorLike, weights: Weights<GlobalSubsampledAttentionWeights, 'globalSubsampledAttention'>],
  GlobalSubsampledAttentionOptions
>({
  name: 'globalSubsampledAttention',
  summary: 'Every token to one key for each patch of the map',
  paper: 'Chu et al. 2021, Twins: Revisiting the Design of Spatial Attention, sec. 3.3',
  tensors: { x: { shape: 'B N C' } },
  outputs: { out: { shape: 'B N C' } },
  weights(c) {
    // Where nothing is reduced these are of no use, and may be there.
    const unused = c.number('srRatio') === 1
    const reduction = { optional: unused, unused }
    return {
      'q.weight': { shape: 'C C' },
      'q.bias': { shape: 'C', optional: 'bias' },
      'kv.weight': { shape: '2C C' },
      'kv.bias': { shape: '2C', optional: 'bias' },
      'proj.weight': { shape: 'C C' },
      'proj.bias': { shape: 'C' },
      'sr.weight': { shape: 'C C R R', ...reduction },
      'sr.bias': { shape: 'C', ...reduction },
      'norm.weight': { shape: 'C', ...reduction },
      'norm.bias': { shape: 'C', ...reduction },
    }
  },
  params: {
    heads: integer({ min: 1 }),
    srRatio: integer({
      min: 1,
      implied: dynamic('the kernel of weights.sr.weight', c => {
        const kernel = c.shape('weights.sr.weight')
        return kernel === undefined ? 1 : kernel[2]
      }),
    }),
    height: integer({ min: 1, perCall: true }),
    width: integer({ min: 1, perCall: true }),
    normEps: number({ default: 1e-5, above: 0 }),
  },
  checkWeights(c) {
    const [channels, heads] = [c.dim('C'), c.number('heads')]
    if (channels % heads !== 0)
      c.fail('heads', 'ERR_FOVEA_OPTION', `divide the width ${channels}`, heads)
  },
  check(c) {
    const [tokens, ratio] = [c.dim('N'), c.number('srRatio')]
    const [height, width] = [c.number('height'), c.number('width')]
    if (tokens !== height * width)
      c.fail('x', 'ERR_FOVEA_SHAPE', `have height * width = ${height * width} tokens`, tokens)
    for (const side of ['height', 'width'] as const)
      if (c.number(side) < ratio)
        c.fail(side, 'ERR_FOVEA_OPTION', `be at least srRatio = ${ratio}`, c.number(side))
  },
})
