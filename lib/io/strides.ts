/** Row-major strides. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let next = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = next
    const product = next * shape[axis]!
    next = Number.isSafeInteger(product) ? product : 0 // of an empty tensor: no stride is ever taken
  }
  return strides
}
