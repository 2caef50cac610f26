import type { Weights } from '../core/call/prepared.ts'
import { dynamic, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Names of timm's XCA. */
export interface XcaBlockWeights {
  /** [heads, 1, 1]. */
  readonly temperature: TensorLike
  /** [3 C, C], rows of query, key, value, each heads x D. */
  readonly 'qkv.weight': TensorLike
  /** [3 C]. */
  readonly 'qkv.bias'?: TensorLike | undefined
  /** [C, C]. */
  readonly 'proj.weight': TensorLike
  /** [C]. */
  readonly 'proj.bias': TensorLike
}

/** Parameters of {@link xcaBlock}. */
export interface XcaBlockOptions {
  /** Divides C; implied by the temperature. */
  readonly heads?: number | undefined
}

/**
 * The cross-covariance attention module (XCiT, El-Nouby et al. 2021, eq. 2) with its projections, as timm's
 * XCA: `out = proj(crossCovarianceAttention(q, k, v))`, `[q, k, v] = qkv(x)`, eps 1e-12.
 *
 * Shapes: x and out [B, N, C]. Scratch: 16 B N C bytes, with plain weights the packed weights too.
 *
 * @throws RangeError ERR_FOVEA_OPTION where heads differs from the temperature's or does not divide C;
 * ERR_FOVEA_WEIGHT_SHAPE. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { tensor, xcaBlock } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const { out } = xcaBlock(full(1, 9, 8), {
 *   temperature: full(2, 1, 1),
 *   'qkv.weight': full(24, 8),
 *   'proj.weight': full(8, 8),
 *   'proj.bias': full(8),
 * })
 * ```
 */
export const xcaBlock = operation<
  [x: TensorLike, weights: Weights<XcaBlockWeights, 'xcaBlock'>],
  XcaBlockOptions
>({
  name: 'xcaBlock',
  summary: 'Cross-covariance attention with its projections',
  paper: 'El-Nouby et al. 2021, XCiT: Cross-Covariance Image Transformers, eq. 2',
  tensors: { x: { shape: 'B N C' } },
  outputs: { out: { shape: 'B N C' } },
  weights: {
    temperature: { shape: 'Heads 1 1' },
    'qkv.weight': { shape: '3C C' },
    'qkv.bias': { shape: '3C', optional: true },
    'proj.weight': { shape: 'C C' },
    'proj.bias': { shape: 'C' },
  },
  params: {
    heads: integer({
      min: 1,
      implied: dynamic('the temperature has', c => c.shape('weights.temperature')?.[0]),
    }),
  },
  check(c) {
    const [width, heads] = [c.dim('C'), c.number('heads')]
    if (width % heads !== 0) c.fail('heads', 'ERR_FOVEA_OPTION', `divide the width ${width}`, heads)
  },
})
