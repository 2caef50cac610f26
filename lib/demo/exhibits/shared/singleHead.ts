import { reshape, type Tensor, tensor } from '../../../index.ts'

/** One head of a tensor [1, H, L, D] as [1, L, D], the same memory. */
export function headOf({ data, shape, strides, offset }: Tensor, head = 0): Tensor {
  const [, , length, size] = shape as [number, number, number, number]
  return tensor(data, [1, length, size], {
    strides: [0, strides[2]!, strides[3]!],
    offset: offset + head * strides[1]!,
  })
}

/** The same as a tensor with a head: [1, L, D] as [1, 1, L, D]. */
export function withHead(one: Tensor): Tensor {
  return reshape(one, [1, 1, ...one.shape.slice(1)])
}
