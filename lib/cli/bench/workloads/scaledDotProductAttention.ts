import type { Tensor, TensorLike } from '../../../core/tensors/tensor.ts'
import type { Random } from '../random.ts'
import type { Inputs, Workload } from '../workload.ts'

/** Sizes of a call: B x H x L x D, and what differs from self-attention with equal heads. */
interface Sizes {
  readonly B: number
  readonly H: number
  readonly L: number
  readonly D: number
  readonly Lk?: number
  readonly Hkv?: number
}

function inputs(sizes: Sizes, more?: (random: Random) => Partial<Inputs>) {
  const { B, H, L, D, Lk = L, Hkv = H } = sizes
  return (random: Random): Inputs => {
    const { tensors, ...rest } = more?.(random) ?? {}
    return {
      tensors: {
        query: random.tensor([B, H, L, D]),
        key: random.tensor([B, Hkv, Lk, D]),
        value: random.tensor([B, Hkv, Lk, D]),
        ...tensors,
      },
      ...rest,
    }
  }
}

/** Two products of `pairs` rows of D elements: scores, and their sum over the values. */
function flopsOf({ B, H, D }: Sizes, pairs: number): number {
  return 4 * B * H * pairs * D
}

function nameOf({ B, H, L, D }: Sizes): string {
  return `${B}x${H}x${L}x${D}`
}

function dense(sizes: Sizes, goal?: number): Workload {
  const { L, Lk = L } = sizes
  return {
    name: Lk === L ? nameOf(sizes) : `${nameOf(sizes)} over ${Lk} keys`,
    make: inputs(sizes),
    limit: 'fma',
    work: flopsOf(sizes, L * Lk),
    ...(goal === undefined ? {} : { goal }),
  }
}

/** Useful work alone: the L (L + 1) / 2 pairs that a query may see. */
function causal(sizes: Sizes, goal: number): Workload {
  const { L } = sizes
  return {
    name: `${nameOf(sizes)} causal`,
    make: inputs(sizes, () => ({ params: { causal: true } })),
    limit: 'fma',
    work: flopsOf(sizes, (L * (L + 1)) / 2),
    goal,
  }
}

/** One query a head: every key and value is read once, and hardly anything is computed. */
function decode(name: string, sizes: Sizes): Workload {
  const { B, D, Lk = sizes.L, Hkv = sizes.H } = sizes
  const floats = 2 * B * Hkv * Lk * D
  return { name, make: inputs(sizes), limit: 'read', work: 4 * floats, goal: 0.85 }
}

const reference: Sizes = { B: 1, H: 8, L: 1024, D: 64 }

/** The reference with something more, in time over the reference. */
function option(
  name: string,
  atMost: number | undefined,
  more: (random: Random) => Partial<Inputs>,
): Workload {
  return {
    name,
    make: inputs(reference, more),
    limit: 'fma',
    work: flopsOf(reference, reference.L ** 2),
    against: nameOf(reference),
    withoutPeers: true,
    ...(atMost === undefined ? {} : { atMost }),
  }
}

/** A window of `reach` keys on either side of a query of the reference's length. */
function windowPairs(reach: number): number {
  const { L } = reference
  return L * (2 * reach + 1) - reach * (reach + 1)
}

function bytes(data: Uint8Array, shape: number[]): TensorLike {
  return { data, shape, dtype: 'uint8' }
}

/** query, key and value as slices of one [B, L, 3, H, D], as a fused projection leaves them. */
function packedViews(random: Random): Partial<Inputs> {
  const { B, H, L, D } = reference
  const { data } = random.tensor([B, L, 3, H, D])
  const slice = (which: number) => ({
    data,
    shape: [B, H, L, D],
    strides: [L * 3 * H * D, D, 3 * H * D, 1],
    offset: which * H * D,
  })
  const out = {
    data: new Float32Array(B * H * L * D),
    shape: [B, H, L, D],
    strides: [L * H * D, D, H * D, 1],
  }
  return { tensors: { query: slice(0), key: slice(1), value: slice(2) }, into: { out } }
}

/** The upper 16 bits of float32 are bfloat16. */
function bfloat16({ data, shape }: Tensor): TensorLike {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length)
  return { data: Uint16Array.from(words, word => word >>> 16), shape, dtype: 'bfloat16' }
}

/** key and value of a workload in bfloat16, as caches have them; query too where asked. */
function halved({ B, H, L, D, Lk = L, Hkv = H }: Sizes, query: boolean) {
  return (random: Random): Partial<Inputs> => ({
    tensors: {
      ...(query && { query: bfloat16(random.tensor([B, H, L, D])) }),
      key: bfloat16(random.tensor([B, Hkv, Lk, D])),
      value: bfloat16(random.tensor([B, Hkv, Lk, D])),
    },
  })
}

/** Heads stored [D, L]: neighbours along D lie L elements apart. */
function transposedViews(random: Random): Partial<Inputs> {
  const { B, H, L, D } = reference
  const transposed = () => ({
    data: random.tensor([B, H, D, L]).data,
    shape: [B, H, L, D],
    strides: [H * L * D, L * D, 1, L],
  })
  return { tensors: { query: transposed(), key: transposed(), value: transposed() } }
}

const L = reference.L
const cached: Sizes = { B: 1, H: 32, L: 1, D: 128, Lk: 8192 }
const tiny: Sizes = { B: 1, H: 1, L: 16, D: 16 }
const batched: Sizes = { B: 8, H: 12, L: 197, D: 64 }

export const workloads: readonly Workload[] = [
  dense({ B: 1, H: 8, L: 512, D: 64 }, 0.82),
  dense(reference, 0.85),
  dense({ B: 1, H: 8, L: 2048, D: 128 }, 0.9),
  dense(batched, 0.75),
  causal({ B: 1, H: 8, L: 512, D: 64 }, 0.7),
  causal(reference, 0.78),
  decode('decode 1x32x1x128 over 8192 keys', cached),
  decode('decode 1x32x1x128 over 8192 keys of 4 kv heads', { ...cached, Hkv: 4 }),
  {
    name: 'decode 1x32x1x128 over 8192 keys, bfloat16',
    make: inputs(cached, halved(cached, false)),
    limit: 'read',
    work: 2 * 2 * 32 * 8192 * 128,
    against: 'decode 1x32x1x128 over 8192 keys',
    withoutPeers: true,
  },
  dense({ B: 1, H: 8, L: 256, D: 32 }, 0.6),
  dense({ B: 1, H: 8, L: 512, D: 40 }, 0.6),
  dense({ B: 1, H: 8, L: 512, D: 80 }, 0.6),
  dense({ B: 1, H: 8, L: 512, D: 256 }, 0.6),
  dense({ B: 1, H: 8, L: 1024, D: 64, Lk: 77 }, 0.6),
  {
    ...dense({ B: 1, H: 32, L: 512, D: 64, Hkv: 4 }, 0.6),
    name: '1x32x512x64 of 4 kv heads',
  },
  {
    name: '1x8x1024x64, packed [B, L, 3, H, D] to [B, L, H, D]',
    make: inputs(reference, packedViews),
    limit: 'fma',
    work: flopsOf(reference, L * L),
    against: nameOf(reference),
    atMost: 1 / 0.95,
    withoutPeers: true,
  },
  {
    name: '1x8x1024x64, heads stored [D, L]',
    make: inputs(reference, transposedViews),
    limit: 'fma',
    work: flopsOf(reference, L * L),
    against: nameOf(reference),
    atMost: 1 / 0.6,
    withoutPeers: true,
  },
  option('1x8x1024x64, bias [L, L]', 1.15, random => ({
    tensors: { bias: random.tensor([L, L]) },
  })),
  option('1x8x1024x64, mask [L, L]', 1.15, () => ({
    tensors: { mask: bytes(new Uint8Array(L * L).fill(1), [L, L]) },
  })),
  option('1x8x1024x64, ALiBi', 1.1, () => ({
    tensors: {
      alibiSlopes: {
        data: Float32Array.from({ length: reference.H }, (_, h) => 2 ** -(h + 1)),
        shape: [reference.H],
      },
    },
  })),
  option('1x8x1024x64, sinks', 1.1, random => ({
    tensors: { sinks: random.tensor([reference.H]) },
  })),
  option('1x8x1024x64, softcap', 1.4, () => ({ params: { softcap: 30 } })),
  {
    name: '1x8x1024x64, 512 keys of each batch',
    make: inputs(reference, () => ({
      tensors: { keyLengths: { data: Int32Array.of(512), shape: [1] } },
    })),
    limit: 'fma',
    work: flopsOf(reference, L * 512),
    goal: 0.6,
    against: nameOf(reference),
    withoutPeers: true,
  },
  {
    name: '1x8x1024x64, 128 keys either side',
    make: inputs(reference, () => ({ params: { windowLeft: 128, windowRight: 128 } })),
    limit: 'fma',
    work: flopsOf(reference, windowPairs(128)),
    goal: 0.6,
    against: nameOf(reference),
    withoutPeers: true,
  },
  option('1x8x1024x64, bfloat16', undefined, halved(reference, true)),
  option('1x8x1024x64, fresh output', undefined, () => ({ into: 'fresh' })),
  { ...dense(tiny), name: 'tiny 1x1x16x16', withinMicroseconds: 5, withoutPeers: true },
  {
    ...dense(tiny),
    name: 'tiny 1x1x16x16, fresh output',
    make: inputs(tiny, () => ({ into: 'fresh' })),
    against: 'tiny 1x1x16x16',
    withoutPeers: true,
  },
  {
    ...dense(reference),
    name: '1x8x1024x64, 2 threads',
    threads: 2,
    against: nameOf(reference),
    atMost: 1 / 1.9,
  },
  {
    ...dense(batched),
    name: '8x12x197x64, 2 threads',
    threads: 2,
    against: nameOf(batched),
    atMost: 1 / 1.8,
  },
]
