import type { Weights } from '../core/call/prepared.ts'
import { integer, number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'

/** Names of timm's LayerScaleBlockClassAttn. */
export interface ClassAttentionBlockWeights {
  /** [C]. */
  readonly gamma_1: TensorLike
  /** [C]. */
  readonly gamma_2: TensorLike
  /** [C]. */
  readonly 'norm1.weight': TensorLike
  /** [C]. */
  readonly 'norm1.bias': TensorLike
  /** [C, C]. */
  readonly 'attn.q.weight': TensorLike
  /** [C, C]. */
  readonly 'attn.k.weight': TensorLike
  /** [C, C]. */
  readonly 'attn.v.weight': TensorLike
  /** [C, C]. */
  readonly 'attn.proj.weight': TensorLike
  /** [C]. */
  readonly 'attn.proj.bias': TensorLike
  /** [C]. */
  readonly 'norm2.weight': TensorLike
  /** [C]. */
  readonly 'norm2.bias': TensorLike
  /** [M, C]. */
  readonly 'mlp.fc1.weight': TensorLike
  /** [M]. */
  readonly 'mlp.fc1.bias': TensorLike
  /** [C, M]. */
  readonly 'mlp.fc2.weight': TensorLike
  /** [C]. */
  readonly 'mlp.fc2.bias': TensorLike
  /** [C]. */
  readonly 'attn.q.bias'?: TensorLike | undefined
  /** [C]; adds the same to every score of a head, so the result does not depend on it. */
  readonly 'attn.k.bias'?: TensorLike | undefined
  /** [C]. */
  readonly 'attn.v.bias'?: TensorLike | undefined
}

/** Parameters of {@link classAttentionBlock}. */
export interface ClassAttentionBlockOptions {
  /** Divides C. */
  readonly heads: number
  /** Added to the variances of both norms. Default 1e-6, as CaiT models use. */
  readonly normEps?: number | undefined
}

/**
 * A class attention layer (CaiT, Touvron et al. 2021, sec. 3), as timm's LayerScaleBlockClassAttn: the class
 * token collects what the patches hold, which pass unchanged and are not returned.
 *
 *     u = concat(xCls, x)
 *     c = xCls + gamma_1 * classAttention(norm1(u))
 *     out = c + gamma_2 * fc2(gelu(fc1(norm2(c))))
 *
 *           cls patches
 *     cls    ■  ■ ■ ■ ■ ■       one row: no other token is a query
 *
 * Shapes: x [B, N, C] patches, xCls and out [B, 1, C]. Scratch: the normalised tokens, 4 C (1 + N) B bytes,
 * and 4 B (C (4 + 2 H) + M) more; with plain weights the packed weights too; 0.8 MB a thread.
 *
 * @throws RangeError ERR_FOVEA_OPTION where heads does not divide C; ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { classAttentionBlock, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const weights = {
 *   gamma_1: full(8),
 *   gamma_2: full(8),
 *   'norm1.weight': full(8),
 *   'norm1.bias': full(8),
 *   'attn.q.weight': full(8, 8),
 *   'attn.k.weight': full(8, 8),
 *   'attn.v.weight': full(8, 8),
 *   'attn.proj.weight': full(8, 8),
 *   'attn.proj.bias': full(8),
 *   'norm2.weight': full(8),
 *   'norm2.bias': full(8),
 *   'mlp.fc1.weight': full(32, 8),
 *   'mlp.fc1.bias': full(32),
 *   'mlp.fc2.weight': full(8, 32),
 *   'mlp.fc2.bias': full(8),
 * }
 * const { out } = classAttentionBlock(full(1, 9, 8), full(1, 1, 8), weights, { heads: 2 })
 * ```
 */
export const classAttentionBlock = operation<
  [
    x: TensorLike,
    xCls: TensorLike,
    weights: Weights<ClassAttentionBlockWeights, 'classAttentionBlock'>,
  ],
  ClassAttentionBlockOptions
>({
  name: 'classAttentionBlock',
  summary: 'A layer of class attention: norms, layer scales and the MLP around it',
  paper: 'Touvron et al. 2021, Going deeper with Image Transformers, sec. 3',
  tensors: { x: { shape: 'B N C' }, xCls: { shape: 'B 1 C' } },
  outputs: { out: { shape: 'B 1 C' } },
  weights: {
    gamma_1: { shape: 'C' },
    gamma_2: { shape: 'C' },
    'norm1.weight': { shape: 'C' },
    'norm1.bias': { shape: 'C' },
    'attn.q.weight': { shape: 'C C' },
    'attn.q.bias': { shape: 'C', optional: true },
    'attn.k.weight': { shape: 'C C' },
    'attn.k.bias': { shape: 'C', optional: true },
    'attn.v.weight': { shape: 'C C' },
    'attn.v.bias': { shape: 'C', optional: true },
    'attn.proj.weight': { shape: 'C C' },
    'attn.proj.bias': { shape: 'C' },
    'norm2.weight': { shape: 'C' },
    'norm2.bias': { shape: 'C' },
    'mlp.fc1.weight': { shape: 'M C' },
    'mlp.fc1.bias': { shape: 'M' },
    'mlp.fc2.weight': { shape: 'C M' },
    'mlp.fc2.bias': { shape: 'C' },
  },
  params: { heads: integer({ min: 1 }), normEps: number({ default: 1e-6, above: 0 }) },
  checkWeights(c) {
    const [width, heads] = [c.dim('C'), c.number('heads')]
    if (width % heads !== 0) c.fail('heads', 'ERR_FOVEA_OPTION', `divide the width ${width}`, heads)
  },
})
