// The plain tensors that tests and references exchange: contiguous, row-major, no strides.

export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array

export interface Dense<T extends Numbers = Numbers> {
  readonly data: T
  readonly shape: readonly number[]
}

/** What an operation is called with, by name: the same three records a case file holds. */
export interface Inputs {
  readonly tensors: Readonly<Record<string, Dense>>
  readonly weights: Readonly<Record<string, Dense>>
  readonly params: Readonly<Record<string, unknown>>
}

export type Outputs = Readonly<Record<string, Dense>>

/** A tensor as the engine takes and gives it. */
export interface View {
  readonly data: Numbers
  readonly shape: readonly number[]
  readonly strides?: readonly number[] | undefined
  readonly offset?: number | undefined
  readonly dtype?: string | undefined
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis]!
  }
  return strides
}

/** Calls visit with the address of every element of a strided view, in row-major order. */
export function eachAddress(view: View, visit: (address: number, index: number) => void): void {
  const { shape, strides = rowMajor(view.shape), offset = 0 } = view
  const index = new Array<number>(shape.length).fill(0)
  const size = sizeOf(shape)
  const width = shape.at(-1) ?? 1
  const step = strides.at(-1) ?? 1
  let row = offset
  for (let n = 0; n < size; ) {
    for (let address = row, end = n + width; n < end; address += step) visit(address, n++)
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      row += strides[axis]!
      index[axis]!++
      if (index[axis]! < shape[axis]!) break
      row -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
}

type NumbersConstructor<T extends Numbers> = new (size: number) => T

export function emptyLike<T extends Numbers>(data: T, size: number): T {
  return new (data.constructor as NumbersConstructor<T>)(size)
}

/** A contiguous copy of any view. */
export function toDense(view: View): Dense {
  const size = sizeOf(view.shape)
  const data = emptyLike(view.data, size)
  if (isContiguous(view)) {
    data.set(view.data.subarray(view.offset ?? 0, (view.offset ?? 0) + size) as never)
  } else {
    eachAddress(view, (address, n) => {
      data[n] = view.data[address]!
    })
  }
  return { data, shape: [...view.shape] }
}

function isContiguous({ shape, strides }: View): boolean {
  const plain = rowMajor(shape)
  return strides === undefined || strides.every((step, axis) => step === plain[axis])
}

export function float32(
  shape: readonly number[],
  value: number | ((n: number) => number) = 0,
): Dense {
  const data = new Float32Array(sizeOf(shape))
  for (let n = 0; n < data.length; n++) data[n] = typeof value === 'number' ? value : value(n)
  return { data, shape }
}

export const int32 = (
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Dense => ({
  data: Int32Array.from(values),
  shape,
})

export const uint8 = (shape: readonly number[], value: (n: number) => boolean): Dense => ({
  data: Uint8Array.from({ length: sizeOf(shape) }, (_, n) => (value(n) ? 1 : 0)),
  shape,
})

/** Elements [start, end) of one axis, copied. */
export function sliceAxis(tensor: Dense, axis: number, start: number, end: number): Dense {
  const shape = tensor.shape.map((n, a) => (a === axis ? end - start : n))
  const strides = rowMajor(tensor.shape)
  return toDense({ data: tensor.data, shape, strides, offset: start * strides[axis]! })
}
