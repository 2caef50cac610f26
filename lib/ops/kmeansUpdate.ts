import { number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Optional tensors and parameters of {@link kmeansUpdate}. */
export interface KmeansUpdateOptions {
  /** Int32Array [B, H, L], 0 .. K - 1: the cluster of each token. Default: the nearest old centroid. */
  readonly assignments?: TensorLike | undefined
  /** Share of the old centroids, 0 .. 1. */
  readonly decay: number
}

/** Outputs of {@link kmeansUpdate}. */
export interface KmeansUpdateOutputs {
  /** [H, K, D]. */
  centroids: Output
}

/**
 * One k-means step of the Routing Transformer (Roy et al. 2021, Algorithm 1, in the form of lucidrains'
 * implementation): each centroid moves towards the normalised mean of the tokens assigned to it.
 *
 * Shapes: x [B, H, L, D], centroids [H, K, D]. With n_i = x_i / max(||x_i||, 1e-12),
 *
 *     c_i = argmax_c n_i.mu_c (the first of equals; a NaN ranks behind every number), unless given
 *     S_c = sum of n_i over all tokens of all batch entries with c_i = c
 *     out_c = decay mu_c + (1 - decay) S_c / max(||S_c||, 1e-12), or mu_c where no token chose c
 *
 * The result is not normalised again. To count queries and keys alike, concatenate them along L. Scratch:
 * 4 bytes a token and the centroids once more; for each thread 8 bytes an element of a head's centroids,
 * 50 KB, and 64 rows of x.
 *
 * @throws RangeError ERR_FOVEA_BOUNDS for an assignment outside 0 .. K - 1; ERR_FOVEA_OPTION; ERR_FOVEA_SHAPE.
 * @example
 * ```ts
 * import { kmeansUpdate, tensor } from 'fovea'
 * const x = tensor(Float32Array.of(3, 0, 0, 2), [1, 1, 2, 2])
 * const old = tensor(Float32Array.of(0.6, 0.8, 0.8, 0.6), [1, 2, 2])
 * const { centroids } = kmeansUpdate(x, old, { decay: 0 })
 * console.log([...centroids.data]) // => [ 0, 1, 1, 0 ]
 * ```
 */
export const kmeansUpdate = operation<
  [x: TensorLike, centroids: TensorLike],
  KmeansUpdateOptions,
  KmeansUpdateOutputs
>({
  name: 'kmeansUpdate',
  summary: 'Centroids moved towards the tokens that chose them',
  paper:
    'Roy et al. 2021, Efficient Content-Based Sparse Attention with Routing Transformers, sec. 4',
  tensors: {
    x: { shape: 'B H L D' },
    centroids: { shape: 'H K D' },
    assignments: { shape: 'B H L', dtype: 'int32', optional: true, min: 0, max: 'K - 1' },
  },
  outputs: { centroids: { shape: 'H K D' } },
  params: { decay: number({ min: 0, max: 1 }) },
  derived: { 'K - 1': c => c.dim('K') - 1 },
})
