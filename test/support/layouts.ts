// The same tensor laid out in memory in every way the engine must read and write in place. Memory
// between the elements holds poison: read, it spoils the result; written, the test sees it.
import {
  type Dense,
  eachAddress,
  emptyLike,
  type Numbers,
  rowMajor,
  sizeOf,
  type View,
} from './tensors.ts'

function poisonOf(data: Numbers): number {
  if (data instanceof Float32Array || data instanceof Float64Array) return Number.NaN
  if (data instanceof Int32Array) return -(2 ** 31)
  return data instanceof Uint16Array ? 0x7fff : 0xff // 0x7fff is NaN in float16 and bfloat16 alike
}

function inside(tensor: Dense, length: number, strides: readonly number[], offset: number): View {
  const data = emptyLike(tensor.data, length)
  data.fill(poisonOf(data))
  const view = { data, shape: tensor.shape, strides, offset }
  eachAddress(view, (address, n) => {
    data[address] = tensor.data[n]!
  })
  return view
}

/** A tensor of the same shape that holds nothing but poison. */
export function poisoned({ data, shape }: View): Dense {
  const fresh = emptyLike(data, sizeOf(shape))
  fresh.fill(poisonOf(fresh))
  return { data: fresh, shape }
}

export type Layout = (tensor: Dense) => View

export const layouts: Readonly<Record<string, Layout>> = {
  contiguous: ({ data, shape }) => ({ data, shape }),

  /** Starts one element past whatever alignment the allocator gave, by offset and by byteOffset. */
  unaligned(tensor) {
    const size = sizeOf(tensor.shape)
    const whole = emptyLike(tensor.data, size + 4)
    whole.fill(poisonOf(whole))
    const data = whole.subarray(1) as typeof whole
    data.set(tensor.data as never, 2)
    return { data, shape: tensor.shape, offset: 2 }
  },

  /** Axes stored in reverse order. */
  permuted(tensor) {
    const strides = rowMajor([...tensor.shape].reverse()).reverse()
    return inside(tensor, sizeOf(tensor.shape), strides, 0)
  },

  /** A corner of a larger tensor; the inner stride stays 1. */
  sliced(tensor) {
    const outer = tensor.shape.map((n, axis) => n + 2 + (axis % 2))
    return inside(
      tensor,
      sizeOf(outer),
      rowMajor(outer),
      rowMajor(outer).reduce((a, b) => a + b, 0),
    )
  },

  /** Every second element of a larger tensor. */
  spread(tensor) {
    const strides = rowMajor(tensor.shape).map(step => step * 2)
    return inside(tensor, 2 * sizeOf(tensor.shape) + 1, strides, 1)
  },

  /** Every axis backwards. */
  negative(tensor) {
    const size = sizeOf(tensor.shape)
    const strides = rowMajor(tensor.shape).map(step => -step)
    return inside(tensor, size, strides, Math.max(size - 1, 0))
  },

  shared(tensor) {
    const Kind = tensor.data.constructor as new (buffer: SharedArrayBuffer) => Numbers
    const data = new Kind(new SharedArrayBuffer(tensor.data.byteLength))
    data.set(tensor.data as never)
    return { data, shape: tensor.shape }
  },
}

/**
 * The tensor with every index along `axis` holding what index 0 holds: once plain, once as a view
 * with stride 0 over memory that has the axis only once.
 */
export function broadcastAxis(tensor: Dense, axis: number): { dense: Dense; view: View } {
  const strides = rowMajor(tensor.shape)
  strides[axis] = 0
  const view = { data: tensor.data, shape: tensor.shape, strides }
  const data = emptyLike(tensor.data, sizeOf(tensor.shape))
  eachAddress(view, (address, n) => {
    data[n] = tensor.data[address]!
  })
  const kept = rowMajor(tensor.shape.map((n, a) => (a === axis ? 1 : n)))
  kept[axis] = 0
  const once = emptyLike(
    tensor.data,
    sizeOf(tensor.shape) === 0 ? 0 : data.length / tensor.shape[axis]!,
  )
  const packed = { data: once, shape: tensor.shape, strides: kept }
  eachAddress(packed, (address, n) => {
    once[address] = data[n]!
  })
  return { dense: { data, shape: tensor.shape }, view: packed }
}

/** Whether every element of the array that the view does not reach is still poison. */
export function gapsIntact(view: View): boolean {
  const gaps = emptyLike(view.data, view.data.length)
  gaps.set(view.data as never)
  const poison = poisonOf(view.data)
  eachAddress(view, address => {
    gaps[address] = poison
  })
  return gaps.every(value => Object.is(value, poison))
}
