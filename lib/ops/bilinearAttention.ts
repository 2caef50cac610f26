import type { Weights } from '../core/call/prepared.ts'
import type { WeightSpec } from '../core/declaration/definition.ts'
import { choice, dynamic, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { bnEps, type NormNames, normWeights } from './shared/norm.ts'

type Layer<Name extends string> =
  | `${Name}.conv.conv.${'weight' | 'bias'}`
  | NormNames<`${Name}.conv.bn`>

/** The state_dict of BilinearAttention, or that of its linear kin. */
export type BilinearAttentionWeights =
  | Readonly<Record<Layer<`dimReduceLayer${1 | 2 | 3}`>, TensorLike>>
  | Readonly<Record<Layer<'dimReduceLayer1' | `dimIncreaseLayer${1 | 2}`>, TensorLike>>

/** Parameters of {@link bilinearAttention}. */
export interface BilinearAttentionOptions {
  /** What is made of the reduced features; the names of the weights tell. */
  readonly kernel?: 'bilinear' | 'linear' | undefined
  /** The reduced features are floor(C / reduction); the weights tell. */
  readonly reduction?: number | undefined
  /** The eps of all norms; above 0, default 1e-5. */
  readonly bnEps?: number | undefined
}

/** Outputs of {@link bilinearAttention}. */
export interface BilinearAttentionOutputs {
  /** [B, C, H, W]. */
  out: Output
  /** [B, C, H, W], between 0.5 and 1. */
  attention?: Output
}

/** Its convolution, bias and norm, in the engine's order. */
const layer = (name: string, outs: string, ins: string): Record<string, WeightSpec> => ({
  [`${name}.conv.conv.weight`]: { shape: `${outs} ${ins} 1 1` },
  [`${name}.conv.conv.bias`]: { shape: outs },
  ...normWeights(`${name}.conv.bn`, outs),
})

/** The layers of each kernel: reducing, outer, inner. */
const layers = {
  bilinear: ['dimReduceLayer1', 'dimReduceLayer2', 'dimReduceLayer3'],
  linear: ['dimReduceLayer1', 'dimIncreaseLayer2', 'dimIncreaseLayer1'],
} as const

function kernelOf(names: readonly string[]): 'bilinear' | 'linear' | undefined {
  if (names.some(name => name.startsWith('dimIncreaseLayer'))) return 'linear'
  return names.some(name => /^dimReduceLayer[23]\./.test(name)) ? 'bilinear' : undefined
}

/**
 * Bilinear attention, attention in attention: second-order features of every position are attended to
 * by their own means, and what comes of it gates x. With CB a 1x1 convolution, norm and ReLU,
 *
 *     r = CB1(x)                                      floor(C / reduction) = m channels
 *     z = the upper triangle of r r^T at each position, diagonal by diagonal: m (m + 1) / 2 channels
 *     attention = sigmoid(CB3(mean z) * CB2(z))       out = attention * x
 *
 * Under the linear kernel z is r itself, and the layers are called dimIncreaseLayer1 and 2.
 *
 * Shapes: x, out and attention [B, C, H, W]. `into.out` may be x itself. The gate ends the last
 * convolution, so x is read twice. Scratch a thread: m floats for every position of 1 MB of x or of one
 * batch entry, at most 1 MB or one row of z, 2 C + m (m + 1) / 2 floats for each such entry, that of
 * conv2d and 12 m m bytes; with plain weights the packed weights too.
 *
 * Fang et al. 2019, Bilinear Attention Networks for Person Retrieval (ICCV 2019), and for the linear
 * kernel their Attention in Attention Networks (TPAMI 2022); weights as
 * PengfeiFANGanu/Attention-in-Attention-Networks names them.
 *
 * @throws RangeError ERR_FOVEA_OPTION where kernel or reduction is not what the weights tell,
 * ERR_FOVEA_WEIGHT_SHAPE. TypeError ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { bilinearAttention, type TensorLike, tensor } from 'fovea'
 * const full = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape)
 * const weights: Record<string, TensorLike> = {}
 * const layer = (name: string, outs: number, ins: number) => {
 *   weights[`${name}.conv.conv.weight`] = full(outs, ins, 1, 1)
 *   for (const vector of ['conv.bias', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'])
 *     weights[`${name}.conv.${vector}`] = full(outs)
 * }
 * layer('dimReduceLayer1', 2, 8)
 * layer('dimReduceLayer2', 8, 3)
 * layer('dimReduceLayer3', 8, 3)
 * const { out } = bilinearAttention(full(1, 8, 5, 5), weights)
 * ```
 */
export const bilinearAttention = operation<
  [x: TensorLike, weights: Weights<BilinearAttentionWeights, 'bilinearAttention'>],
  BilinearAttentionOptions,
  BilinearAttentionOutputs
>({
  name: 'bilinearAttention',
  summary: 'A gate made of products of features, attended to by their means',
  paper: 'Fang et al. 2019, Bilinear Attention Networks for Person Retrieval (ICCV 2019)',
  tensors: { x: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'x' },
    attention: { shape: 'B C H W', optional: true },
  },
  weights(c) {
    const [reduce, outer, inner] = layers[c.choice('kernel') as keyof typeof layers]
    return { ...layer(reduce, 'M', 'C'), ...layer(outer, 'C', 'K'), ...layer(inner, 'C', 'K') }
  },
  params: {
    kernel: choice(['bilinear', 'linear'], {
      default: 'bilinear',
      implied: dynamic('the names of the weights tell', c => kernelOf(c.weightNames)),
    }),
    bnEps: bnEps(),
    reduction: integer({
      min: 1,
      optional: true,
      perCall: true,
      native: false,
    }),
  },
  derived: {
    K: c => {
      const m = c.dim('M')
      return c.choice('kernel') === 'bilinear' ? (m * (m + 1)) / 2 : m
    },
  },
  nonEmpty: ['H'],
  checkWeights(c) {
    const [C, m, reduction] = [c.dim('C'), c.dim('M'), c.number('reduction')]
    if (!c.given('reduction') || Math.floor(C / reduction) === m) return
    const rule = `reduce the ${C} channels of x to the ${m} of the weights`
    c.fail('reduction', 'ERR_FOVEA_OPTION', rule, reduction)
  },
})
