import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Outputs of {@link mergeAttention}. */
export interface MergeAttentionOutputs {
  /** [B, H, L, Dv]. */
  out: Output
  /** [B, H, L], the natural logarithm of the summed denominators; -Infinity where no part saw a key. */
  lse?: Output
}

/**
 * Joins partial results of attention over disjoint sets of keys, exactly: with `m = max_p lses[p]` and
 * `w_p = exp(lses[p] - m)`,
 *
 *     out = sum_p w_p outs[p] / sum_p w_p        lse = m + log(sum_p w_p)
 *
 * Shapes: outs [P, B, H, L, Dv], lses [P, B, H, L] (natural logarithms; -Infinity marks a part that saw
 * no key, whose outs then do not matter). Where all parts saw nothing, out is 0 and lse -Infinity.
 * Computed in float64; scratch: 8 P bytes a thread.
 *
 * Paper: the merge of online softmax, Milakov & Gimelshein 2018, eq. 4.
 *
 * @throws RangeError ERR_FOVEA_SHAPE, ERR_FOVEA_RANK.
 * @example
 * ```ts
 * import { mergeAttention, tensor } from 'fovea'
 * const outs = tensor(new Float32Array([1, 3]), [2, 1, 1, 1, 1])
 * const { out } = mergeAttention(outs, tensor(new Float32Array([0, 0]), [2, 1, 1, 1])) // 2
 * ```
 */
export const mergeAttention = operation<
  [outs: TensorLike, lses: TensorLike],
  Record<never, never>,
  MergeAttentionOutputs
>({
  name: 'mergeAttention',
  summary: 'Joins attention over disjoint sets of keys by their lse',
  paper: 'Milakov & Gimelshein 2018, Online normalizer calculation for softmax, eq. 4',
  tensors: { outs: { shape: 'P B H L Dv' }, lses: { shape: 'P B H L' } },
  outputs: { out: { shape: 'B H L Dv' }, lse: { shape: 'B H L', optional: true } },
})
