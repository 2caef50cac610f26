import { boolean, choice } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'

/** Parameters of {@link kmeansAssign}. */
export interface KmeansAssignOptions {
  /** The largest dot product (dot, default) or the smallest distance (euclidean). */
  readonly metric?: 'dot' | 'euclidean' | undefined
  /** Divide the rows of x by max(||x||, 1e-12) first. The centroids never are. Default false. */
  readonly normalize?: boolean | undefined
}

/** Outputs of {@link kmeansAssign}. */
export interface KmeansAssignOutputs {
  /** Int32Array [n], the number of the nearest centroid. */
  assignments: Output<'int32'>
  /** [n] its dot product with the row, or its distance from it (not squared). */
  distances: Output
}

/**
 * The nearest centroid of each row, as the Routing Transformer (Roy et al. 2021, sec. 4) clusters tokens.
 *
 *     dot:        assignments_i = argmax_c x_i.mu_c         distances_i = x_i.mu_c of that c
 *     euclidean:  assignments_i = argmin_c ||x_i - mu_c||   distances_i = ||x_i - mu_c|| of that c
 *
 * Shapes: x [n, d], centroids [K, d]. Of equal scores the first centroid wins; a NaN ranks behind every
 * number. Scratch: the centroids once more, and 50 KB and 64 rows of x a thread.
 *
 * @throws RangeError ERR_FOVEA_SHAPE where there is no centroid, or the widths differ.
 * @example
 * ```ts
 * import { kmeansAssign, tensor } from 'fovea'
 * const x = tensor(Float32Array.of(1, 0, 0, 1), [2, 2])
 * const centroids = tensor(Float32Array.of(0, 1, 1, 0), [2, 2])
 * const { assignments } = kmeansAssign(x, centroids)
 * console.log([...assignments.data]) // => [ 1, 0 ]
 * ```
 */
export const kmeansAssign = operation<
  [x: TensorLike, centroids: TensorLike],
  KmeansAssignOptions,
  KmeansAssignOutputs
>({
  name: 'kmeansAssign',
  summary: 'The nearest centroid of each row',
  paper:
    'Roy et al. 2021, Efficient Content-Based Sparse Attention with Routing Transformers, sec. 4',
  tensors: { x: { shape: 'n d' }, centroids: { shape: 'K d' } },
  outputs: {
    assignments: { shape: 'n', dtype: 'int32' },
    distances: { shape: 'n' },
  },
  mayBeEmpty: ['n'],
  params: {
    metric: choice(['dot', 'euclidean'], { default: 'dot' }),
    normalize: boolean({ default: false }),
  },
})
