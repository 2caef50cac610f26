// Stands in for lib/core/addon.ts: records what crosses the bridge and computes nothing.
import type { Native, NativeArray } from '../../lib/core/addon.ts'

export interface Slot {
  readonly kind: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
  readonly data: NativeArray | undefined
}

export interface Crossed {
  readonly op: string
  readonly threads: number
  readonly params: readonly number[]
  readonly slots: readonly Slot[]
}

const names: string[] = []
/** Calls in the order in which they crossed. */
export const crossed: Crossed[] = []
/** What the next call does, once it has been recorded. */
export const behaviour: {
  run?: (call: Crossed) => void
  submit?: (call: Crossed, id: number) => Promise<void>
  packedFloats?: (call: Crossed) => number
  pack?: (call: Crossed, packed: Float32Array) => void
  cancelled: number[]
  priority?: number
  record: boolean
} = { cancelled: [], record: true }

function decode(op: number, meta: Float64Array, data: readonly NativeArray[]): Crossed {
  let at = 4 + meta[1]!
  let used = 0
  const slots: Slot[] = []
  for (let i = 0; i < meta[2]!; i++) {
    const kind = meta[at]!
    const rank = meta[at + 1]!
    const offset = meta[at + 2]!
    const shape = [...meta.subarray(at + 3, at + 3 + rank)]
    const strides = [...meta.subarray(at + 3 + rank, at + 3 + 2 * rank)]
    at += 3 + 2 * rank
    const isPresent = kind > 0 && kind < 17
    slots.push({ kind, shape, strides, offset, data: isPresent ? data[used++] : undefined })
  }
  if (used !== data.length) throw new Error(`${data.length} arrays for ${used} slots`)
  const params = [...meta.subarray(4, 4 + meta[1]!)]
  return { op: names[op]!, threads: meta[0]!, params, slots }
}

export const native: Native = {
  ops: () => names,
  run(op, meta, ...data) {
    if (!behaviour.record) return
    const call = decode(op, meta, data)
    crossed.push(call)
    behaviour.run?.(call)
  },
  submit(op, meta, id, priority, ...data) {
    const call = decode(op, meta, data)
    crossed.push(call)
    behaviour.priority = priority
    return behaviour.submit?.(call, id) ?? Promise.resolve()
  },
  cancel(id) {
    behaviour.cancelled.push(id)
    return true
  },
  progress: () => ({ done: 1, total: 2 }),
  flops: () => 0,
  packedFloats: (op, meta, ...data) => behaviour.packedFloats?.(decode(op, meta, data)) ?? 0,
  pack(op, meta, ...dataThenPacked) {
    const packed = dataThenPacked.pop() as Float32Array
    behaviour.pack?.(decode(op, meta, dataThenPacked), packed)
  },
  address: () => 0,
  configure() {},
  getNumThreads: () => 3,
  setNumThreads() {},
  maxThreads: () => 256,
  info: () => ({
    version: '0.0.0',
    isa: 'scalar',
    isas: ['scalar'],
    vectorBits: 32,
    threads: 3,
    threadsFrom: 'stub',
    compiler: 'none',
  }),
  cpuQuota: () => Number.POSITIVE_INFINITY,
  selectIsa: () => false,
}

export function opIndex(name: string): number {
  const index = names.indexOf(name)
  return index >= 0 ? index : names.push(name) - 1
}
