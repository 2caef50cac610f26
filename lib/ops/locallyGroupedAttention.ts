import { choice, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'
import { floatDtypes } from '../core/tensors/tensor.ts'
import { scaleParam } from './shared/heads.ts'

/** Parameters of {@link locallyGroupedAttention}. */
export interface LocallyGroupedAttentionOptions {
  /** Rows of the map of tokens. */
  readonly height: number
  /** Columns of the map: token y * width + x stands at (y, x). */
  readonly width: number
  /** Rows of a window; may exceed the map. */
  readonly windowHeight: number
  /** Columns of a window. */
  readonly windowWidth: number
  /**
   * Positions of a window beyond the map: no keys at all (exclude, default), or keys and values of zeros,
   * which take their share of the softmax.
   */
  readonly padMode?: 'exclude' | 'zeros' | undefined
  /** Factor of the scores. Default 1/sqrt(D). */
  readonly scale?: number | undefined
}

/**
 * Locally-grouped self-attention (Twins-SVT, Chu et al. 2021, sec. 3.3): dense attention inside the
 * windows of a map, which begin at (0, 0) and are cut at its right and lower border.
 *
 * Shapes: query, key [B, H, height * width, D], value [B, H, height * width, Dv], tokens in reading
 * order, each float32, float16 or bfloat16.
 *
 *     height 3, width 5, windows 2 x 2:        the tokens of a window see each other:
 *       a a b b c                                out_i = softmax_j(scale q_i.k_j) v_j,
 *       a a b b c                                j in the window of i
 *       d d e e f
 *
 * The cost follows the size of a window. Scratch a thread: for windows of up to 128 tokens the keys and values
 * of sixteen of them, 64 (D + Dv) bytes a token; for larger ones 0.8 MB, and 4 bytes a token.
 *
 * @throws RangeError ERR_FOVEA_SHAPE where there are not height * width tokens; ERR_FOVEA_OPTION.
 * @example
 * ```ts
 * import { locallyGroupedAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(2 * 14 * 14 * 32).fill(0.1), [1, 2, 14 * 14, 32])
 * const map = { height: 14, width: 14, windowHeight: 7, windowWidth: 7 }
 * const { out } = locallyGroupedAttention(x, x, x, map)
 * ```
 */
export const locallyGroupedAttention = operation<
  [query: TensorLike, key: TensorLike, value: TensorLike],
  LocallyGroupedAttentionOptions
>({
  name: 'locallyGroupedAttention',
  summary: 'Dense attention inside the windows of a map',
  paper: 'Chu et al. 2021, Twins: Revisiting the Design of Spatial Attention, sec. 3.3',
  tensors: {
    query: { shape: 'B H N D', dtype: floatDtypes },
    key: { shape: 'B H N D', dtype: floatDtypes },
    value: { shape: 'B H N Dv', dtype: floatDtypes },
  },
  outputs: { out: { shape: 'B H N Dv' } },
  params: {
    height: integer({ min: 1 }),
    width: integer({ min: 1 }),
    windowHeight: integer({ min: 1 }),
    windowWidth: integer({ min: 1 }),
    padMode: choice(['exclude', 'zeros'], { default: 'exclude' }),
    scale: scaleParam(),
  },
  check(c) {
    const tokens = c.number('height') * c.number('width')
    if (c.dim('N') !== tokens)
      c.fail('query', 'ERR_FOVEA_SHAPE', `have height * width = ${tokens} tokens`, c.dim('N'))
  },
})
