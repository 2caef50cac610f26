import type { Context } from '../core/declaration/context.ts'
import { boolean, dynamic, integer, list } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { floatDtypes } from '../core/tensors/tensor.ts'
import { scaleParam } from './shared/heads.ts'

/** Optional tensors and parameters of {@link neighborhoodAttention}; one value stands for every axis. */
export interface NeighborhoodAttentionOptions {
  /** [H, 2k - 1, ...] relative position bias, added to the scores; odd kernels, stride 1, no causal axis. */
  readonly rpb?: TensorLike | undefined
  /** Keys that a query sees along each axis, at least 2; an even kernel has its extra key before the query. */
  readonly kernelSize: number | readonly number[]
  /** Distance between those keys; kernelSize * dilation is at most the size. Default 1. */
  readonly dilation?: number | readonly number[] | undefined
  /** Neighbouring queries that share the window of the one in their middle, at most kernelSize. Default 1. */
  readonly stride?: number | readonly number[] | undefined
  /** No key behind the query along this axis. Default false. */
  readonly causal?: boolean | readonly boolean[] | undefined
  /** Factor of the scores. Default 1/sqrt(D). */
  readonly scale?: number | undefined
}

/** Outputs of {@link neighborhoodAttention}. */
export interface NeighborhoodAttentionOutputs {
  /** [B, ...spatial, H, Dv]. */
  out: Output
  /** [B, ...spatial, H] natural logarithm of the sum of exp(score). */
  lse?: Output
}

/**
 * Neighborhood attention (NAT, Hassani et al. 2023, eqs. 2-4; dilated as DiNAT, strided as GNA) over one,
 * two or three spatial axes, with NATTEN's rules.
 *
 * Shapes, heads last: query, key [B, ...spatial, H, D], value [B, ...spatial, H, Dv], each float32, float16
 * or bfloat16. The keys of a query are the product of one set an axis: the kernelSize coordinates around
 * its own that have its remainder by the dilation. At a border the window moves inward, so every query sees
 * as many keys; along a causal axis it ends at the query and is cut at the start instead.
 *
 *     kernelSize 3      dilation 2       stride 2         causal
 *     ■ ■ ■ . . .       ■ . ■ . ■ .      ■ ■ ■ . . .      ■ . . . . .
 *     ■ ■ ■ . . .       . ■ . ■ . ■      ■ ■ ■ . . .      ■ ■ . . . .
 *     . ■ ■ ■ . .       ■ . ■ . ■ .      . . ■ ■ ■ .      ■ ■ ■ . . .
 *     . . ■ ■ ■ .       . ■ . ■ . ■      . . ■ ■ ■ .      . ■ ■ ■ . .
 *     . . . ■ ■ ■       ■ . ■ . ■ .      . . . ■ ■ ■      . . ■ ■ ■ .
 *     . . . ■ ■ ■       . ■ . ■ . ■      . . . ■ ■ ■      . . . ■ ■ ■
 *
 * The score of a pair is scale q.k + rpb[h, (j - i) / dilation + kernelSize - 1, ...]. The cost follows the
 * kernel's size. Scratch a thread: for kernels of up to 256 keys kernel + stride + 1 rows of keys and values, of
 * up to 128 columns and those around, in as many heads as 0.4 MB hold but one at least, and three rows of queries
 * and results: 0.3 MB for D = Dv = 32 and a kernel of 7 x 7; for larger ones 0.8 MB, and 4 bytes a key that a row
 * of queries sees (with rpb, twice that more).
 *
 * @throws RangeError ERR_FOVEA_OPTION where a kernel times its dilation exceeds the axis, a stride its
 * kernel, or for rpb with an even kernel, a stride or a causal axis; ERR_FOVEA_SHAPE.
 * @example
 * ```ts
 * import { neighborhoodAttention, tensor } from 'fovea'
 * const x = tensor(new Float32Array(14 * 14 * 4 * 32).fill(0.1), [1, 14, 14, 4, 32])
 * const { out } = neighborhoodAttention(x, x, x, { kernelSize: 7, dilation: [2, 1] })
 * ```
 */
export const neighborhoodAttention = operation<
  [query: TensorLike, key: TensorLike, value: TensorLike],
  NeighborhoodAttentionOptions,
  NeighborhoodAttentionOutputs
>({
  name: 'neighborhoodAttention',
  summary: 'The window of neighbours around each query, in one to three dimensions',
  paper: 'Hassani et al. 2023, Neighborhood Attention Transformer, eqs. 2-4',
  tensors: {
    query: { shape: 'B *S H D', dtype: floatDtypes, ranks: [4, 6] },
    key: { shape: 'B *S H D', dtype: floatDtypes, ranks: [4, 6] },
    value: { shape: 'B *S H Dv', dtype: floatDtypes, ranks: [4, 6] },
    rpb: { shape: 'H *Biases', optional: true },
  },
  outputs: { out: { shape: 'B *S H Dv' }, lse: { shape: 'B *S H', optional: true } },
  params: {
    kernelSize: list(integer({ min: 2 }), { length: axes() }),
    dilation: list(integer({ min: 1 }), { default: 1, length: axes() }),
    stride: list(integer({ min: 1 }), { default: 1, length: axes() }),
    causal: list(boolean(), { default: false, length: axes() }),
    scale: scaleParam(),
  },
  check(c) {
    const kernels = c.list('kernelSize')
    c.run('S').forEach((size, axis) => {
      const [kernel, dilation] = [kernels[axis]!, c.list('dilation')[axis]!]
      if (kernel * dilation > size) {
        const rule = `be at most ${size} / ${dilation}, the size by the dilation`
        c.fail(`kernelSize[${axis}]`, 'ERR_FOVEA_OPTION', rule, kernel)
      }
      const stride = c.list('stride')[axis]!
      if (stride > kernel)
        c.fail(`stride[${axis}]`, 'ERR_FOVEA_OPTION', `be at most kernelSize ${kernel}`, stride)
    })
    if (c.has('rpb')) checkBias(c, kernels)
  },
})

function axes() {
  return dynamic('spatial axes', (c: Context) => c.run('S').length)
}

/** Older NATTEN defines the bias for plain windows with a middle alone. */
function checkBias(c: Context, kernels: readonly number[]): void {
  kernels.forEach((kernel, axis) => {
    const without = (argument: string, rule: string, received: unknown) =>
      c.fail(`${argument}[${axis}]`, 'ERR_FOVEA_OPTION', `${rule} where rpb is given`, received)
    if (kernel % 2 === 0) without('kernelSize', 'be odd', kernel)
    const stride = c.list('stride')[axis]!
    if (stride !== 1) without('stride', 'be 1', stride)
    if (c.list('causal')[axis] === 1) without('causal', 'be false', true)
  })
  const want = [c.dim('H'), ...kernels.map(kernel => 2 * kernel - 1)]
  const shape = c.shape('rpb')!
  if (shape.length !== want.length || shape.some((n, axis) => n !== want[axis]))
    c.fail('rpb', 'ERR_FOVEA_SHAPE', `have the shape [${want.join(', ')}]`, `[${shape.join(', ')}]`)
}
