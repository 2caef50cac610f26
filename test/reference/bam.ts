// BAM (Park et al. 2018) eqs. 1-4: a channel branch and a dilated spatial branch, joined in one gate.
import {
  affineNamed,
  batchNormed,
  convolvedBy,
  mapped,
  pooled,
  rectified,
  spatialOf,
} from './featureMap.ts'
import { at } from './grid.ts'
import { range, sigmoid } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly variant?: 'official' | 'fightingcv'
  readonly combine?: 'multiply' | 'add'
  readonly dilation?: number
  readonly padding?: number
  readonly numLayers?: number
  readonly numDilatedConvs?: number
  readonly bnEps?: number
}

const kNames = {
  official: {
    channel: 'channel_att.gate_c.',
    hidden: (i: number) => [`gate_c_fc_${i}`, `gate_c_bn_${i + 1}`] as const,
    lastChannel: 'gate_c_fc_final',
    spatial: 'spatial_att.gate_s.',
    reduce: ['gate_s_conv_reduce0', 'gate_s_bn_reduce0'],
    dilated: (i: number) => [`gate_s_conv_di_${i}`, `gate_s_bn_di_${i}`] as const,
    lastSpatial: 'gate_s_conv_final',
  },
  fightingcv: {
    channel: 'ca.ca.',
    hidden: (i: number) => [`fc${i}`, `bn${i}`] as const,
    lastChannel: 'last_fc',
    spatial: 'sa.sa.',
    reduce: ['conv_reduce1', 'bn_reduce1'],
    dilated: (i: number) => [`conv_${i}`, `bn_${i}`] as const,
    lastSpatial: 'last_conv',
  },
} as const

export const bam: Reference = {
  op: 'bam',
  required: ['x'],
  takesWeights: true,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, weights, params }) {
    const x = tensors.x!
    const { variant = 'official', ...given } = params as Params
    const official = variant === 'official'
    const {
      combine = official ? 'multiply' : 'add',
      dilation = official ? 4 : 2,
      padding = official ? dilation : 1,
      numLayers = official ? 1 : 3,
      numDilatedConvs = official ? 2 : 3,
      bnEps = 1e-5,
    } = given
    const names = kNames[variant]

    let v = pooled(x)
    for (const i of range(numLayers)) {
      const [fc, bn] = names.hidden(i)
      const y = affineNamed(v, weights, names.channel + fc)
      v = rectified(batchNormed(y, weights, `${names.channel}${bn}.`, bnEps))
    }
    const channel = affineNamed(v, weights, names.channel + names.lastChannel)

    let s = rectified(
      batchNormed(
        convolvedBy(x, weights, names.spatial + names.reduce[0]),
        weights,
        `${names.spatial}${names.reduce[1]}.`,
        bnEps,
      ),
    )
    for (const i of range(numDilatedConvs)) {
      const [conv, bn] = names.dilated(i)
      const y = convolvedBy(s, weights, names.spatial + conv, {
        padding: [padding, padding],
        dilation: [dilation, dilation],
      })
      s = rectified(batchNormed(y, weights, `${names.spatial}${bn}.`, bnEps))
    }
    const spatial = convolvedBy(s, weights, names.spatial + names.lastSpatial)
    const single = spatialOf(spatial).every(n => n === 1)

    const attention = mapped(x, (_, [b, c, ...p]) => {
      const [mc, ms] = [at(channel, b!, c!), at(spatial, b!, 0, ...(single ? [0, 0] : p))]
      return sigmoid(combine === 'multiply' ? mc * ms : mc + ms)
    })
    return { attention, out: mapped(x, (value, index) => value * (1 + at(attention, ...index))) }
  },
}
