// Declarations for the tests of the machinery: one of every kind that the format has.

import type { Weights } from '../../lib/core/call/prepared.ts'
import {
  boolean,
  choice,
  dynamic,
  integer,
  list,
  number,
} from '../../lib/core/declaration/params.ts'
import { operation } from '../../lib/core/operation.ts'
import type { Output, TensorLike } from '../../lib/core/tensors/tensor.ts'

export interface AttendOptions {
  mask?: TensorLike | undefined
  bias?: TensorLike | undefined
  lengths?: TensorLike | undefined
  extraKey?: TensorLike | undefined
  extraValue?: TensorLike | undefined
  scale?: number | undefined
  causal?: boolean | undefined
  align?: 'topLeft' | 'bottomRight' | undefined
  window?: number | undefined
  slopes?: number | readonly number[] | undefined
}

export const attend = operation<
  [query: TensorLike, key: TensorLike, value: TensorLike],
  AttendOptions,
  { out: Output; lse?: Output; peak?: Output }
>({
  name: 'attend',
  summary: 'Attention',
  tensors: {
    query: { shape: 'B H Lq D' },
    key: { shape: 'B Hkv Lk D' },
    value: { shape: 'B Hkv Lk Dv' },
    mask: { shape: 'B H Lq Lk', dtype: 'uint8', broadcast: true, optional: true },
    bias: { shape: 'B H Lq Lk', broadcast: true, optional: true },
    lengths: { shape: 'B', dtype: 'int32', min: 0, max: 'Lk', optional: true },
    extraKey: { shape: 'B H D', optional: 'extra' },
    extraValue: { shape: 'B H Dv', dtype: ['float32', 'bfloat16'], optional: 'extra' },
  },
  outputs: {
    out: { shape: 'B H Lq Dv' },
    lse: {
      shape: 'B H Lq',
      optional: true,
      absent: c => (c.has('mask') ? 'mask is given' : undefined),
    },
    peak: { shape: 'B', optional: true },
  },
  params: {
    scale: number({ default: dynamic('1/sqrt(D)', c => 1 / Math.sqrt(c.dim('D'))) }),
    causal: boolean({ default: false }),
    align: choice(['topLeft', 'bottomRight'], { optional: true }),
    window: integer({ default: -1, min: -1 }),
    slopes: list(number(), { optional: true, length: dynamic('H', c => c.dim('H')) }),
  },
  check(c) {
    if (c.dim('H') % c.dim('Hkv') !== 0 && c.dim('H') > 0) {
      c.fail('key', 'ERR_FOVEA_SHAPE', `have heads that divide ${c.dim('H')}`, `${c.dim('Hkv')}`)
    }
  },
})

export interface DenseWeights {
  weight: TensorLike
  bias?: TensorLike | undefined
}

export const dense = operation<
  [x: TensorLike, weights: Weights<DenseWeights, 'dense'>],
  { gain?: number | undefined }
>({
  name: 'dense',
  summary: 'y = gain (x W^T + b)',
  tensors: { x: { shape: '... in' } },
  outputs: { out: { shape: '... out', inPlace: 'x' } },
  weights: { weight: { shape: 'out in' }, bias: { shape: 'out', optional: true } },
  params: { gain: number({ default: 1, perCall: true }) },
})

export interface ConvOptions {
  stride?: number | readonly number[] | undefined
  size?: readonly number[] | undefined
  groups?: number | undefined
  mode?: 'none' | 'norm' | undefined
  eps?: number | undefined
  pools?: readonly ('avg' | 'max')[] | undefined
}

export const conv = operation<
  [x: TensorLike, weights: Weights<Record<string, TensorLike>, 'conv'>],
  ConvOptions,
  { out: Output; counts?: Output<'int32'> }
>({
  name: 'conv',
  summary: 'A module: weights that depend on the parameters, sizes that follow from others',
  tensors: { x: { shape: 'B Cin *S', ranks: [4, 5] } },
  outputs: {
    out: { shape: 'B Cout *So' },
    counts: { shape: 'B', dtype: 'int32', optional: true },
  },
  weights: c => ({
    weight: { shape: 'Cout Cg *kernel' },
    bias: { shape: 'Cout', optional: true },
    ...(c.choice('mode') === 'norm'
      ? {
          'norm.weight': { shape: 'Cout', optional: 'affine' },
          'norm.bias': { shape: 'Cout', optional: 'affine' },
          'norm.running_mean': { shape: 'Cout' },
          'norm.running_var': { shape: 'Cout' },
        }
      : { 'norm.weight': { shape: 'Cout', optional: true, unused: true } }),
  }),
  params: {
    stride: list(integer({ min: 1 }), {
      length: dynamic('spatial axes', c => c.run('S').length || Number.NaN),
      default: 1,
    }),
    size: list(integer({ min: 1 }), {
      length: 2,
      optional: true,
      spread: false,
      native: false,
    }),
    groups: integer({
      min: 1,
      implied: dynamic('weights.weight implies', c => {
        const shape = c.shape('weights.weight')
        return shape === undefined ? undefined : c.dim('Cin') / shape[1]!
      }),
    }),
    mode: choice(['none', 'norm'], { default: 'none' }),
    eps: number({
      default: 1e-5,
      above: 0,
      used: dynamic('mode norm', c => c.choice('mode') === 'norm'),
    }),
    pools: list(choice(['avg', 'max']), {
      minLength: 1,
      default: ['avg', 'max'],
      native: value => [Number((value as string[]).includes('avg')), (value as string[]).length],
    }),
  },
  derived: {
    Cg: c => c.dim('Cin') / c.number('groups'),
    So: c => {
      const stride = c.list('stride')
      return c.run('S').map((n, axis) => Math.floor(n / (stride[axis] ?? 1)))
    },
  },
})

export const route = operation<
  [query: TensorLike, key: TensorLike | null, centroids: TensorLike],
  { shared?: boolean | undefined; clusters?: number | undefined; decay: number },
  { assignments: Output<'int32'>; distances: Output }
>({
  name: 'route',
  summary: 'No `out`, a tensor that a parameter makes absent, a required parameter',
  tensors: {
    query: { shape: '1+N D' },
    key: { shape: '1+N D', absentWhen: 'shared' },
    centroids: { shape: 'clusters D' },
  },
  outputs: {
    assignments: { shape: '1+N', dtype: 'int32' },
    distances: { shape: '1+N' },
  },
  params: {
    shared: boolean({ default: false }),
    clusters: integer({ implied: dynamic('centroids implies', c => c.dim('clusters')) }),
    decay: number({ min: 0, max: 1 }),
  },
})
