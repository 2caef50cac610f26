import { boolean, choice, dynamic, integer, number } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { TensorLike } from '../core/tensors/tensor.ts'
import { scaleParam } from './shared/heads.ts'

/** Parameters of {@link routingAttention}. */
export interface RoutingAttentionOptions {
  /** Clusters a head; implied by the centroids. */
  readonly clusters?: number | undefined
  /** Queries, and keys, that each cluster takes: at least 1, at most L count. */
  readonly windowSize: number
  /** Queries see keys up to their own position. Default false. */
  readonly causal?: boolean | undefined
  /** The queries are the keys, too; key is then null. Default false. */
  readonly sharedQK?: boolean | undefined
  /** What is compared with the centroids: x / max(||x||, 1e-12) (l2, default), or layer norm without weights. */
  readonly normalization?: 'l2' | 'layer' | undefined
  /** What is attended with; default normalizedKeys where sharedQK, else raw. */
  readonly attendWith?: 'raw' | 'normalizedKeys' | 'normalized' | undefined
  /** A query sees the key at its own position only where it sees no other. Default: sharedQK. */
  readonly maskSelf?: boolean | undefined
  /** Factor of the scores. Default 1/sqrt(D). */
  readonly scale?: number | undefined
  /** Added to the number of clusters that the outputs of a token are divided by. */
  readonly meanEps: number
}

/**
 * Routing attention (Roy et al. 2021, Algorithm 1): every centroid takes the tokens nearest to it, tokens of
 * a cluster attend to each other, and what a token gets from several clusters is averaged.
 *
 * Shapes: query, key [B, H, L, D], value [B, H, L, Dv], centroids [H, clusters, D]. For each cluster c
 *
 *     its queries: the windowSize largest N(q_i).mu_c         c = 0: ■ . ■ . ■ . .   c = 1: . . . . . . .
 *     its keys:    the windowSize largest N(k_j).mu_c                . . . . . . .          . ■ . ■ . . ■
 *     s_ij = scale a_i.b_j                                           ■ . ■ . ■ . .          . . . . . . .
 *     out_i = sum_c softmax_j(s_ij) v_j / (count_i + meanEps)        . . . . . . .          . ■ . ■ . . ■
 *
 * where count_i clusters took token i (0 gives 0) and (a, b) are (q, k), with normalizedKeys (q, N(k)), with
 * normalized (N(q), N(k)). Of equal products the earlier token is taken; a NaN ranks behind every number.
 *
 * Google's implementation is normalization 'layer', attendWith 'normalized', scale 1, maskSelf false, meanEps
 * 1e-2; lucidrains' the defaults with meanEps 1e-5.
 *
 * The cost is L * clusters * D for routing and clusters * windowSize^2 * D for attention. Scratch: at most
 * 32 MB or what one head needs, 4 (2 L D + L clusters + clusters windowSize (Dv + 2)) bytes, whichever is
 * more; 0.8 MB a thread.
 *
 * @throws RangeError ERR_FOVEA_OPTION where clusters differs from the centroids'; ERR_FOVEA_SHAPE. TypeError
 * ERR_FOVEA_TYPE for a key with sharedQK, or none without.
 * @example
 * ```ts
 * import { routingAttention, tensor } from 'fovea'
 * const x = tensor(Float32Array.from({ length: 64 * 16 }, (_, i) => Math.sin(i * i)), [1, 1, 64, 16])
 * const centroids = tensor(Float32Array.from({ length: 4 * 16 }, (_, i) => Math.cos(i * i)), [1, 4, 16])
 * const { out } = routingAttention(x, x, x, centroids, { windowSize: 16, meanEps: 1e-5 })
 * ```
 */
export const routingAttention = operation<
  [query: TensorLike, key: TensorLike | null, value: TensorLike, centroids: TensorLike],
  RoutingAttentionOptions
>({
  name: 'routingAttention',
  summary: 'Attention inside clusters of similar tokens',
  paper:
    'Roy et al. 2021, Efficient Content-Based Sparse Attention with Routing Transformers, Algorithm 1',
  tensors: {
    query: { shape: 'B H L D' },
    key: { shape: 'B H L D', absentWhen: 'sharedQK' },
    value: { shape: 'B H L Dv' },
    centroids: { shape: 'H Clusters D' },
  },
  outputs: { out: { shape: 'B H L Dv' } },
  params: {
    clusters: integer({
      min: 1,
      implied: dynamic('the centroids have', c => c.shape('centroids')?.[1]),
      native: false,
    }),
    windowSize: integer({ min: 1 }),
    causal: boolean({ default: false }),
    sharedQK: boolean({ default: false }),
    normalization: choice(['l2', 'layer'], { default: 'l2' }),
    attendWith: choice(['raw', 'normalizedKeys', 'normalized'], {
      default: dynamic("'normalizedKeys' where sharedQK, else 'raw'", c =>
        c.flag('sharedQK') ? 'normalizedKeys' : 'raw',
      ),
    }),
    maskSelf: boolean({ default: dynamic('sharedQK', c => c.flag('sharedQK')) }),
    scale: scaleParam(),
    meanEps: number({ min: 0 }),
  },
})
