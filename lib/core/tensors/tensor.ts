/** Element types that operations take and return. */
export type Dtype = 'float32' | 'float16' | 'bfloat16' | 'uint8' | 'int32'

/** Element types of queries, keys and values: those of 16 bits are widened as they are read, exactly. */
export const floatDtypes: readonly Dtype[] = ['float32', 'float16', 'bfloat16']

/**
 * A strided view, or anything that looks like one: an onnxruntime Tensor, a transformers.js Tensor and
 * an ndarray fit as they are. `shape ?? dims` gives the sizes, `strides` (or `stride`, where it is an
 * array) the distances in elements (row-major where left out), `offset` the first element.
 */
export interface TensorLike {
  readonly data: object
  readonly shape?: readonly number[] | undefined
  readonly dims?: readonly number[] | undefined
  readonly strides?: unknown
  readonly stride?: unknown
  readonly offset?: number | undefined
  readonly dtype?: unknown
}

/** A strided view of a typed array. */
export interface Tensor<Data = Float32Array, Type extends string = string> {
  readonly data: Data
  readonly shape: readonly number[]
  /** In elements; zero and negative ones are welcome in inputs. */
  readonly strides: readonly number[]
  /** Of element [0, 0, …] in `data`, in elements. */
  readonly offset: number
  readonly dtype: Type
}

/** What an operation returns: contiguous, over an ArrayBuffer of its own. */
export type Output<Type extends 'float32' | 'int32' = 'float32'> = Tensor<
  Type extends 'int32' ? Int32Array<ArrayBuffer> : Float32Array<ArrayBuffer>,
  Type
>
