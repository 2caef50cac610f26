// Random queries, keys and values, of odd sizes, for every operation over [B, H, L, D].
import type { Random } from '../../support/random.ts'
import type { Dense, Inputs } from '../../support/tensors.ts'

export interface Sizes {
  readonly B: number
  readonly H: number
  readonly Hkv: number
  readonly Lq: number
  readonly Lk: number
  readonly D: number
  readonly Dv: number
}

/** Odd sizes, so that every kind of edge tile occurs. */
export function sizes(random: Random, given: Partial<Sizes> = {}): Sizes {
  const group = random.choose([1, 1, 2, 3])
  const Hkv = given.Hkv ?? random.integer(1, 2)
  const D = given.D ?? random.integer(1, 70)
  return {
    B: random.integer(1, 3),
    H: Hkv * group,
    Hkv,
    Lq: random.integer(1, 60),
    Lk: random.integer(1, 110),
    D,
    Dv: random.boolean() ? D : random.integer(1, 70),
    ...given,
  }
}

export function heads(random: Random, { B, H, Hkv, Lq, Lk, D, Dv }: Sizes): Record<string, Dense> {
  return {
    query: random.tensor([B, H, Lq, D]),
    key: random.tensor([B, Hkv, Lk, D]),
    value: random.tensor([B, Hkv, Lk, Dv]),
  }
}

/** A shape that broadcasts to [B, H, Lq, Lk]: rank 2 or 4, any axis 1. */
export function broadcastShape(random: Random, { B, H, Lq, Lk }: Sizes): number[] {
  const full = random.boolean(0.7) ? [B, H, Lq, Lk] : [Lq, Lk]
  return full.map(n => (random.boolean(0.3) ? 1 : n))
}

export const plain = (random: Random, given?: Partial<Sizes>): Inputs => ({
  tensors: heads(random, sizes(random, given)),
  weights: {},
  params: {},
})

/** The same inputs with other parameters and further tensors. */
export const withParams = (inputs: Inputs, params: object, tensors: object = {}): Inputs => ({
  ...inputs,
  tensors: { ...inputs.tensors, ...tensors },
  params: { ...inputs.params, ...params },
})
