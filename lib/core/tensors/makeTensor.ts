// The view of an array that a caller makes. Nothing is copied.
import { fail, nearest, words } from '../errors.ts'
import { countOf, isArray } from '../memory.ts'
import type { Tensor } from './tensor.ts'
import { type Argument, dtypes, readView, View } from './view.ts'

/** A Float16Array, where the platform has one. */
export interface HalfArray extends ArrayBufferView {
  readonly [Symbol.toStringTag]: 'Float16Array'
}

/** What elements can lie in. */
export type TensorData = Float32Array | Uint16Array | HalfArray | Uint8Array | Int32Array

type DtypeOf<Data> = Data extends Float32Array
  ? 'float32'
  : Data extends Uint8Array
    ? 'uint8'
    : Data extends Int32Array
      ? 'int32'
      : Data extends Uint16Array
        ? 'float16' | 'bfloat16'
        : 'float16'

/** How {@link tensor} reads an array, beyond its shape. */
export interface TensorOptions<Type> {
  /** In elements, one an axis, of any sign. Row-major where left out. */
  readonly strides?: readonly number[] | undefined
  /** Of element [0, 0, …], in elements. */
  readonly offset?: number | undefined
  /** Needed over a Uint16Array, which may hold float16 or bfloat16. */
  readonly dtype?: Type | undefined
}

type OptionsFor<Data, Type> = Data extends Uint16Array
  ? [options: TensorOptions<Type> & { readonly dtype: Type }]
  : [options?: TensorOptions<Type>]

const tensorArgument: Argument = { operation: 'tensor', prefix: '', name: 'tensor' }
const optionNames = ['strides', 'offset', 'dtype']

/**
 * A view of an array: nothing is copied. Floats lie in a Float32Array (float32), in a Uint16Array with
 * `dtype` 'float16' or 'bfloat16', or in a Float16Array; masks in a Uint8Array, where nonzero means
 * attend; lengths and indices in an Int32Array.
 *
 * @throws TypeError ERR_FOVEA_TYPE, _UNKNOWN_OPTION, _DETACHED, _RESIZABLE; RangeError ERR_FOVEA_RANK,
 * _SHAPE, _STRIDE, _BOUNDS
 * @example
 * ```ts
 * import { tensor } from 'fovea'
 * const [B, L, H, D] = [1, 16, 8, 64]
 * // the queries of a packed projection [B, L, 3, H, D], as [B, H, L, D]
 * const q = tensor(new Float32Array(B * L * 3 * H * D), [B, H, L, D], {
 *   strides: [L * 3 * H * D, D, 3 * H * D, 1],
 * })
 * console.log(q.shape) // => [ 1, 8, 16, 64 ]
 * ```
 */
export function tensor<Data extends TensorData, const Type extends DtypeOf<Data> = DtypeOf<Data>>(
  data: Data,
  shape: readonly number[],
  ...[options]: OptionsFor<Data, Type>
): Tensor<Data, Type> {
  const given: Record<string, unknown> = { data, shape: copyOf(shape) }
  if (options !== undefined) readTensorOptions(options, given)
  const view = new View()
  readView(view, tensorArgument, given)
  return {
    data,
    shape: given.shape as readonly number[],
    strides: (given.strides ?? view.strides.slice(0, view.rank)) as readonly number[],
    offset: (given.offset ?? 0) as number,
    dtype: dtypes[view.dtype]! as Type,
  }
}

/** A caller's array read once; anything else as it is, to be refused. */
function copyOf(value: unknown): unknown {
  if (!isArray(value)) return value
  const count = countOf(value)
  return count < 0 ? value : Array.from({ length: count }, (_, i) => value[i])
}

function readTensorOptions(options: unknown, given: Record<string, unknown>): void {
  if (typeof options !== 'object' || options === null || isArray(options)) {
    fail('tensor', 'options', 'ERR_FOVEA_TYPE', 'be an object', options)
  }
  for (const name in options) {
    if (!optionNames.includes(name)) {
      const near = nearest(name, optionNames)
      const rule = near === undefined ? `be one of ${optionNames.join(', ')}` : `be spelled ${near}`
      fail('tensor', name, 'ERR_FOVEA_UNKNOWN_OPTION', rule, words(`the option ${name}`))
    }
    given[name] = copyOf((options as Record<string, unknown>)[name])
  }
}
