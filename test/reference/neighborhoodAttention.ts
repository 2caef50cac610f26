// Hassani et al. 2023 (NAT) eqs. 2-4 with dilation, causal axes and NATTEN's strides, in 1 to 3
// dimensions: the key set is the product of one set an axis.
import { at, attend, indices, permuted, reshaped } from './grid.ts'
import { range } from './maths.ts'
import type { Reference } from './reference.ts'

interface Params {
  readonly kernelSize: number | readonly number[]
  readonly dilation?: number | readonly number[]
  readonly stride?: number | readonly number[]
  readonly causal?: boolean | readonly boolean[]
  readonly scale?: number
}

/** Coordinates that coordinate i of an axis of `length` sees. */
function axisNeighbors(
  i: number,
  length: number,
  k: number,
  d: number,
  s: number,
  causal: boolean,
): number[] {
  const g = i % d
  const t = Math.floor(i / d)
  const N = Math.ceil((length - g) / d)
  if (causal) {
    const leader = Math.min(Math.floor(t / s) * s + s - 1, N - 1)
    const start = Math.max(leader - k + 1, 0)
    return range(t + 1 - start).map(r => g + d * (start + r))
  }
  const leader = Math.min(Math.floor(t / s) * s + Math.floor(s / 2), N - 1)
  const start = Math.min(Math.max(leader - Math.floor(k / 2), 0), N - k)
  return range(k).map(r => g + d * (start + r))
}

export const neighborhoodAttention: Reference = {
  op: 'neighborhoodAttention',
  required: ['query', 'key', 'value'],
  takesWeights: false,
  always: ['out'],
  isBatched: name => name !== 'rpb',
  compute({ tensors, params }) {
    const { query, value, rpb } = tensors
    const spatial = query!.shape.slice(1, -2)
    const n = spatial.length
    const [B] = query!.shape as [number]
    const [H, D] = query!.shape.slice(-2) as [number, number]
    const L = spatial.reduce((a, b) => a * b, 1)
    const {
      kernelSize,
      dilation = 1,
      stride = 1,
      causal = false,
      scale = 1 / Math.sqrt(D),
    } = params as unknown as Params
    const perAxis = <T>(value: T | readonly T[], axis: number): T =>
      Array.isArray(value) ? (value as readonly T[])[axis]! : (value as T)

    const coordinates = [...indices(spatial)]
    const flat = (index: readonly number[]): number =>
      index.reduce((sofar, i, axis) => sofar * spatial[axis]! + i, 0)
    const keysOf = (i: number): number[] => {
      const axes = coordinates[i]!.map((x, axis) =>
        axisNeighbors(
          x,
          spatial[axis]!,
          perAxis(kernelSize, axis),
          perAxis(dilation, axis),
          perAxis(stride, axis),
          perAxis(causal, axis),
        ),
      )
      return [...indices(axes.map(a => a.length))].map(pick =>
        flat(pick.map((p, axis) => axes[axis]![p]!)),
      )
    }
    const keys = range(L).map(keysOf)
    const bias = (score: number, _b: number, h: number, i: number, j: number): number => {
      if (rpb === undefined) return score
      const offset = range(n).map(axis => {
        const away = coordinates[j]![axis]! - coordinates[i]![axis]!
        return away / perAxis(dilation, axis) + perAxis(kernelSize, axis) - 1
      })
      return score + at(rpb, h, ...offset)
    }
    const headsFirst = (name: string): ReturnType<typeof permuted> => {
      const tensor = tensors[name]!
      return permuted(reshaped(tensor, [B, L, H, tensor.shape.at(-1)!]), [0, 2, 1, 3])
    }
    const heads = { query: headsFirst('query'), key: headsFirst('key'), value: headsFirst('value') }
    const { out, lse } = attend(heads, scale, (_b, _h, i) => keys[i]!, bias)
    const Dv = value!.shape.at(-1)!
    return {
      out: reshaped(permuted(out, [0, 2, 1, 3]), [B, ...spatial, H, Dv]),
      lse: reshaped(permuted(lse, [0, 2, 1]), [B, ...spatial, H]),
    }
  },
}
