// The attention module of the Residual Attention Network (Wang et al. 2017) as its PyTorch code has it:
// a trunk of two bottlenecks, and a mask branch that pools down and interpolates up again.
import type { Dense, Inputs } from '../support/tensors.ts'
import {
  added,
  batchNormed,
  convolvedBy,
  mapped,
  maxPooled,
  rectified,
  resized,
  spatialOf,
  zipped,
} from './featureMap.ts'
import { type Dense64, range, sigmoid } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly variant?: 'imagenet' | 'cifar' | 'plain'
  readonly stage?: number
  readonly sizes?: readonly (readonly number[])[]
  readonly bnEps?: number
}

/** Blocks by what they are for; the code calls them differently in every variant. */
interface Names {
  readonly down: (k: number) => string
  readonly skip: (k: number) => string
  readonly up: (k: number) => string
  readonly head: string
}

function namesOf(variant: string, depth: number): Names {
  if (variant === 'cifar') {
    return {
      down: k => (k < depth ? `down_residual_blocks${k}` : 'middle_2r_blocks'),
      skip: k => `skip${k}_connection_residual_block`,
      up: k => `up_residual_blocks${depth - k}`,
      head: 'conv1_1_blocks',
    }
  }
  return {
    down: k => `softmax${k}_blocks`,
    skip: k => `skip${k}_connection_residual_block`,
    up: k => `softmax${2 * depth - k}_blocks`,
    head: `softmax${2 * depth}_blocks`,
  }
}

const kDepths: Readonly<Record<string, readonly number[]>> = {
  imagenet: [4, 3, 2, 1],
  cifar: [0, 2, 1, 0], // stage 3 neither pools nor resizes
  plain: [0, 3],
}

function compute({ tensors, weights, params }: Inputs): { out: Dense64; mask: Dense64 } {
  const x = tensors.x!
  const { variant = 'imagenet', stage = 1, bnEps = 1e-5 } = params as Params
  const depth = kDepths[variant]![stage]!
  const names = namesOf(variant, depth)
  const sizes = [spatialOf(x)]
  for (const _ of range(depth)) sizes.push(sizes.at(-1)!.map(n => Math.ceil(n / 2)))

  const normed = (v: Dense, p: string): Dense64 =>
    rectified(batchNormed(v, weights, `${p}.`, bnEps))
  const block = (p: string, v: Dense): Dense64 => {
    let y = convolvedBy(normed(v, `${p}.bn1`), weights, `${p}.conv1`)
    y = convolvedBy(normed(y, `${p}.bn2`), weights, `${p}.conv2`, { padding: [1, 1] })
    return added(v, convolvedBy(normed(y, `${p}.bn3`), weights, `${p}.conv3`))
  }
  const blocks = (p: string, v: Dense): Dense64 => block(`${p}.1`, block(`${p}.0`, v))
  const pool = (v: Dense): Dense64 => maxPooled(v, [3, 3], [2, 2], [1, 1])
  const head = (v: Dense): Dense64 => {
    const y = convolvedBy(normed(v, `${names.head}.0`), weights, `${names.head}.2`)
    return mapped(convolvedBy(normed(y, `${names.head}.3`), weights, `${names.head}.5`), sigmoid)
  }

  const y = block('first_residual_blocks', x)
  const trunk = blocks('trunk_branches', y)
  let mask: Dense64
  if (depth === 0) {
    mask = head(blocks('middle_2r_blocks', y))
  } else {
    const down: Dense[] = [y]
    for (let k = 1; k < depth; k++) down.push(block(names.down(k), pool(down[k - 1]!)))
    let u: Dense = blocks(names.down(depth), pool(down[depth - 1]!))
    for (let k = depth - 1; k >= 1; k--) {
      const skips = [block(names.skip(k), down[k]!)]
      if (variant !== 'plain') skips.push(down[k] as Dense64)
      u = block(names.up(k), added(resized(u, sizes[k]!, true), ...skips))
    }
    const top = resized(u, sizes[0]!, true)
    mask = head(variant === 'plain' ? top : added(top, trunk))
  }
  const gated = zipped((t, m) => (1 + m) * t, trunk, mask)
  return { out: block('last_blocks', gated), mask }
}

export const residualAttentionModule: Reference = {
  op: 'residualAttentionModule',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute,
}
