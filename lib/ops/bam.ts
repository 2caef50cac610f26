import type { Weights } from '../core/call/prepared.ts'
import type { Context } from '../core/declaration/context.ts'
import type { WeightSpec } from '../core/declaration/definition.ts'
import { choice, dynamic, integer } from '../core/declaration/params.ts'
import { operation } from '../core/operation.ts'
import type { Output, TensorLike } from '../core/tensors/tensor.ts'
import { largestStep } from './shared/convolution.ts'
import { bnEps, normWeights } from './shared/norm.ts'
import { checkReduction, reductionParam } from './shared/reduction.ts'

/** What a published implementation calls its layers, and does where nothing else is asked for. */
interface Variant {
  readonly prefixes: readonly string[]
  readonly hidden: (i: number) => readonly [layer: string, norm: string]
  readonly lastOfChannels: string
  readonly reduce: readonly [layer: string, norm: string]
  readonly dilated: (i: number) => readonly [layer: string, norm: string]
  readonly lastOfPositions: string
  /** Numbers of hidden layers and of dilated convolutions, from names of their weights. */
  readonly layerOf: (name: string) => number | undefined
  readonly dilatedConvOf: (name: string) => number | undefined
  readonly combine: string
  readonly numLayers: number
  readonly numDilatedConvs: number
  readonly dilation: number
  /** That of the dilated convolutions; undefined: their dilation. */
  readonly padding: number | undefined
}

/** The number that a pattern finds in a name, and `more`. */
const numberIn =
  (pattern: RegExp, more = 0) =>
  (name: string): number | undefined => {
    const found = pattern.exec(name)?.[1]
    return found === undefined ? undefined : Number(found) + more
  }

const variants: Readonly<Record<string, Variant>> = {
  official: {
    prefixes: ['channel_att.', 'spatial_att.'],
    hidden: i => [`channel_att.gate_c.gate_c_fc_${i}`, `channel_att.gate_c.gate_c_bn_${i + 1}`],
    lastOfChannels: 'channel_att.gate_c.gate_c_fc_final',
    reduce: ['spatial_att.gate_s.gate_s_conv_reduce0', 'spatial_att.gate_s.gate_s_bn_reduce0'],
    dilated: i => [
      `spatial_att.gate_s.gate_s_conv_di_${i}`,
      `spatial_att.gate_s.gate_s_bn_di_${i}`,
    ],
    lastOfPositions: 'spatial_att.gate_s.gate_s_conv_final',
    layerOf: name =>
      numberIn(/^channel_att\.gate_c\.gate_c_fc_(\d+)\./, 1)(name) ??
      numberIn(/^channel_att\.gate_c\.gate_c_bn_(\d+)\./)(name),
    dilatedConvOf: numberIn(/^spatial_att\.gate_s\.gate_s_(?:conv|bn)_di_(\d+)\./, 1),
    combine: 'multiply',
    numLayers: 1,
    numDilatedConvs: 2,
    dilation: 4,
    padding: undefined,
  },
  fightingcv: {
    prefixes: ['ca.', 'sa.'],
    hidden: i => [`ca.ca.fc${i}`, `ca.ca.bn${i}`],
    lastOfChannels: 'ca.ca.last_fc',
    reduce: ['sa.sa.conv_reduce1', 'sa.sa.bn_reduce1'],
    dilated: i => [`sa.sa.conv_${i}`, `sa.sa.bn_${i}`],
    lastOfPositions: 'sa.sa.last_conv',
    layerOf: numberIn(/^ca\.ca\.(?:fc|bn)(\d+)\./, 1),
    dilatedConvOf: numberIn(/^sa\.sa\.(?:conv|bn)_(\d+)\./, 1),
    combine: 'add',
    numLayers: 3,
    numDilatedConvs: 3,
    dilation: 2,
    padding: 1,
  },
}

/** Parameters of {@link bam}. */
export interface BamOptions {
  /**
   * Whose names and defaults: those of Jongchan/attention-module (`'official'`) or of fightingcv-attention.
   * Implied by the names of the weights.
   */
  readonly variant?: 'official' | 'fightingcv' | undefined
  /** How the branches are joined. Default: `'multiply'` (official), `'add'` (fightingcv, and the paper). */
  readonly combine?: 'multiply' | 'add' | undefined
  /** floor(C / reduction) is the width of the hidden layers; implied by the weights. */
  readonly reduction?: number | undefined
  /** Hidden layers of the channel branch, implied by the names of the weights. */
  readonly numLayers?: number | undefined
  /** 3 x 3 convolutions of the spatial branch, implied by the names of the weights. */
  readonly numDilatedConvs?: number | undefined
  /** Of these convolutions. Default: 4 (official), 2 (fightingcv). */
  readonly dilation?: number | undefined
  /** Of these convolutions. Default: the dilation (official), 1 (fightingcv). */
  readonly padding?: number | undefined
  /** The eps of all norms; above 0, default 1e-5. */
  readonly bnEps?: number | undefined
}

/** What {@link bam} returns. */
export interface BamOutputs {
  /** `[B, C, H, W]`. */
  out: Output
  /** `[B, C, H, W]`. */
  attention?: Output
}

const most = 1000
const variantOf = (c: Context): Variant => variants[c.choice('variant')]!

/** A number that the variant has for its own. */
const ofVariant = (name: 'numLayers' | 'numDilatedConvs' | 'dilation') =>
  dynamic(
    `${variants.official![name]} or ${variants.fightingcv![name]}, by variant`,
    c => variantOf(c)[name],
  )

/** How many layers of a kind the names of the weights speak of, if they speak of the variant at all. */
const counted = (kind: 'layerOf' | 'dilatedConvOf') =>
  dynamic('the names of the weights tell', c => {
    const { prefixes, [kind]: numberOf } = variantOf(c)
    const names = c.weightNames
    if (!names.some(name => prefixes.some(prefix => name.startsWith(prefix)))) return undefined
    const count = names.reduce((count, name) => Math.max(count, numberOf(name) ?? 0), 0)
    return Math.min(count, names.length)
  })

const dilates = dynamic('there are dilated convolutions', c => c.number('numDilatedConvs') > 0)

/** A layer with bias and the norm behind it. */
const layer = (name: string, out: string, ins: string): Record<string, WeightSpec> => ({
  [`${name}.weight`]: { shape: `${out} ${ins}` },
  [`${name}.bias`]: { shape: out },
})

function weightsOf(c: Context): Record<string, WeightSpec> {
  const { hidden, lastOfChannels, reduce, dilated, lastOfPositions } = variantOf(c)
  const weights: Record<string, WeightSpec> = {}
  const layers = c.number('numLayers')
  for (let i = 0; i < layers; i++) {
    const [name, norm] = hidden(i)
    Object.assign(weights, layer(name, 'R', i === 0 ? 'C' : 'R'), normWeights(norm, 'R'))
  }
  Object.assign(weights, layer(lastOfChannels, 'C', layers === 0 ? 'C' : 'R'))
  Object.assign(weights, layer(reduce[0], 'R', 'C 1 1'), normWeights(reduce[1], 'R'))
  for (let i = 0; i < c.number('numDilatedConvs'); i++) {
    const [name, norm] = dilated(i)
    Object.assign(weights, layer(name, 'R', 'R 3 3'), normWeights(norm, 'R'))
  }
  return Object.assign(weights, layer(lastOfPositions, '1', 'R 1 1'))
}

/** The spatial branch must keep the map's size, or come down to a single value for all positions. */
function checkSize(c: Context): void {
  const size = [c.dim('H'), c.dim('W')]
  const change = 2 * (c.number('padding') - c.number('dilation'))
  const convs = c.number('numDilatedConvs')
  if (convs === 0 || change === 0) return
  const behind = size.map(n => n + convs * change)
  if (behind.every(n => n === 1)) return
  const found = behind.every(n => n > 0) ? behind.join(' x ') : 'nothing'
  const rule = `have a size that the dilated convolutions keep or bring to 1 x 1, not to ${found}`
  c.fail('x', 'ERR_FOVEA_SHAPE', rule, size.join(' x '))
}

/**
 * The bottleneck attention module (BAM, Park et al. 2018, eq. 1-4): a branch for channels and a dilated branch for
 * positions, joined in one gate.
 *
 *     Mc = fc relu(norm(fc ... mean(x)))                       [B, C]
 *     Ms = conv1 relu(norm(conv3 ... relu(norm(conv1 x))))     [B, 1, H, W]
 *     attention = sigmoid(Mc * Ms) or sigmoid(Mc + Ms)         out = x * (1 + attention)
 *
 * `x`, `out` and `attention` are `[B, C, H, W]`. `into.out` may be `x` itself. The paper adds the branches, the
 * authors' code multiplies them; `variant` says whose names the weights have, and whose defaults hold:
 *
 * - official: `channel_att.gate_c.gate_c_fc_0`, `gate_c_bn_1`, …, `gate_c_fc_final`;
 *   `spatial_att.gate_s.gate_s_conv_reduce0`, `gate_s_bn_reduce0`, `gate_s_conv_di_0`, `gate_s_bn_di_0`, …,
 *   `gate_s_conv_final`.
 * - fightingcv: `ca.ca.fc0`, `bn0`, …, `last_fc`; `sa.sa.conv_reduce1`, `bn_reduce1`, `conv_0`, `bn_0`, …,
 *   `last_conv`. Its padding of 1 lets a dilated convolution shrink the map: what comes down to 1 x 1 holds
 *   for all positions.
 *
 * x is read three times and written once, entries of 1 MB together, or a single larger one; every thread
 * may be at entries of its own. Scratch: for each of these, two maps of the hidden channels and a few
 * vectors; the packed weights unless they are prepared; for each thread at most 32 KiB and that of conv2d.
 *
 * @throws RangeError ERR_FOVEA_OPTION where a parameter is not what the weights imply, ERR_FOVEA_SHAPE where
 * the dilated convolutions change the size of x otherwise, ERR_FOVEA_WEIGHT_SHAPE. TypeError
 * ERR_FOVEA_WEIGHT_MISSING, ERR_FOVEA_WEIGHT_UNKNOWN.
 * @example
 * ```ts
 * import { bam, tensor } from 'fovea'
 * const full = (value: number, ...shape: number[]) =>
 *   tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(value), shape)
 * const layer = (name: string, ...shape: number[]) => ({
 *   [`${name}.weight`]: full(0, ...shape),
 *   [`${name}.bias`]: full(0, shape[0]!),
 * })
 * const weights = {
 *   ...layer('channel_att.gate_c.gate_c_fc_final', 8, 8),
 *   ...layer('spatial_att.gate_s.gate_s_conv_reduce0', 2, 8, 1, 1),
 *   ...layer('spatial_att.gate_s.gate_s_bn_reduce0', 2),
 *   'spatial_att.gate_s.gate_s_bn_reduce0.running_mean': full(0, 2),
 *   'spatial_att.gate_s.gate_s_bn_reduce0.running_var': full(1, 2),
 *   ...layer('spatial_att.gate_s.gate_s_conv_final', 1, 2, 1, 1),
 * }
 * const { out } = bam(full(2, 1, 8, 5, 5), weights)
 * console.log(out.data[0]) // => 3
 * ```
 */
export const bam = operation<
  [x: TensorLike, weights: Weights<Readonly<Record<string, TensorLike>>, 'bam'>],
  BamOptions,
  BamOutputs
>({
  name: 'bam',
  summary: 'Bottleneck attention: branches for channels and positions joined in one gate',
  paper: 'Park et al. 2018, BAM: Bottleneck Attention Module (arXiv 1807.06514), eq. 1-4',
  tensors: { x: { shape: 'B C H W' } },
  outputs: {
    out: { shape: 'B C H W', inPlace: 'x' },
    attention: { shape: 'B C H W', optional: true },
  },
  weights: weightsOf,
  params: {
    variant: choice(['official', 'fightingcv'], {
      default: 'official',
      implied: dynamic('the names of the weights tell', c =>
        Object.keys(variants).find(variant =>
          variants[variant]!.prefixes.some(prefix =>
            c.weightNames.some(name => name.startsWith(prefix)),
          ),
        ),
      ),
    }),
    combine: choice(['multiply', 'add'], {
      default: dynamic('"multiply" or "add", by variant', c => variantOf(c).combine),
    }),
    reduction: reductionParam(),
    numLayers: integer({
      min: 0,
      max: most,
      default: ofVariant('numLayers'),
      implied: counted('layerOf'),
    }),
    numDilatedConvs: integer({
      min: 0,
      max: most,
      default: ofVariant('numDilatedConvs'),
      implied: counted('dilatedConvOf'),
    }),
    dilation: integer({ min: 1, max: largestStep, default: ofVariant('dilation'), used: dilates }),
    padding: integer({
      min: 0,
      max: largestStep,
      default: dynamic(
        'the dilation or 1, by variant',
        c => variantOf(c).padding ?? c.number('dilation'),
      ),
      used: dilates,
    }),
    bnEps: bnEps(),
  },
  nonEmpty: ['H'],
  checkWeights: c => checkReduction(c, c.dim('C'), `weights.${variantOf(c).reduce[0]}.weight`),
  check: checkSize,
})
