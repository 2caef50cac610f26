// CBAM (Woo et al. 2018) eqs. 2-3: a channel gate from several poolings, then a spatial gate.
import type { Dense } from '../support/tensors.ts'
import {
  added,
  affineNamed,
  batchNormed,
  convolvedBy,
  mapped,
  planes,
  rectified,
  spatialOf,
} from './featureMap.ts'
import { at, indices, set } from './grid.ts'
import { type Dense64, float64, mean, norm, range, sigmoid, softmaxRow } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly poolTypes?: readonly ('avg' | 'max' | 'lp' | 'lse')[]
  readonly noSpatial?: boolean
  readonly bnEps?: number
}

const kPools = {
  avg: mean,
  max: (plane: readonly number[]): number => plane.reduce((a, b) => Math.max(a, b)),
  lp: norm,
  lse: (plane: readonly number[]): number => softmaxRow(plane).lse,
} as const

export const cbam: Reference = {
  op: 'cbam',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const x = tensors.x!
    const [B, C] = x.shape as [number, number]
    const { poolTypes = ['avg', 'max'], noSpatial = false, bnEps = 1e-5 } = params as Params
    const branches = poolTypes.map(type => {
      const v = float64([B, C])
      v.data.set(planes(x).map(kPools[type]))
      const hidden = rectified(affineNamed(v, weights, 'ChannelGate.mlp.1'))
      return affineNamed(hidden, weights, 'ChannelGate.mlp.3')
    })
    const channelAttention = mapped(added(...branches), sigmoid)
    const x1 = mapped(x, (v, [b, c]) => v * at(channelAttention, b!, c!))
    if (noSpatial) return { out: x1, channelAttention }

    const spatialAttention = mapped(
      batchNormed(
        convolvedBy(compressed(x1), weights, 'SpatialGate.spatial.conv', { padding: [3, 3] }),
        weights,
        'SpatialGate.spatial.bn.',
        bnEps,
      ),
      sigmoid,
    )
    const out = mapped(x1, (v, [b, , ...p]) => v * at(spatialAttention, b!, 0, ...p))
    return { out, channelAttention, spatialAttention }
  },
}

/** Two maps: the largest and the mean over the channels of each position. */
function compressed(x: Dense): Dense64 {
  const [B, C] = x.shape as [number, number]
  const out = float64([B, 2, ...spatialOf(x)])
  for (const [b, ...p] of indices([B, ...spatialOf(x)]) as Iterable<[number, ...number[]]>) {
    const values = range(C).map(c => at(x, b, c, ...p))
    set(out, kPools.max(values), b, 0, ...p)
    set(out, mean(values), b, 1, ...p)
  }
  return out
}
