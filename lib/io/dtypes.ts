/** An element type of a safetensors file, by the name that a tensor's `dtype` has here. */
export type FileDtype =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'
  | 'float8_e4m3'
  | 'float8_e5m2'
  | RareDtype

/**
 * Types of the format that nothing here computes with: read and written as they are. A complex64
 * element is one 64-bit word; elements narrower than a byte stay packed, several to a byte.
 */
type RareDtype =
  | 'complex64'
  | 'float8_e8m0'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2fnuz'
  | 'float6_e2m3'
  | 'float6_e3m2'
  | 'float4'

/** The typed array of each element width and kind. */
export type FileArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

type FileArrayConstructor = {
  readonly BYTES_PER_ELEMENT: number
  new (length: number): FileArray
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): FileArray
}

export interface FileType {
  /** As the file's header spells it. */
  readonly tag: string
  readonly dtype: FileDtype
  readonly bits: number
  readonly array: FileArrayConstructor
}

const fileTypes: readonly FileType[] = [
  { tag: 'F32', dtype: 'float32', bits: 32, array: Float32Array },
  { tag: 'F16', dtype: 'float16', bits: 16, array: Uint16Array },
  { tag: 'BF16', dtype: 'bfloat16', bits: 16, array: Uint16Array },
  { tag: 'F64', dtype: 'float64', bits: 64, array: Float64Array },
  { tag: 'I64', dtype: 'int64', bits: 64, array: BigInt64Array },
  { tag: 'I32', dtype: 'int32', bits: 32, array: Int32Array },
  { tag: 'I16', dtype: 'int16', bits: 16, array: Int16Array },
  { tag: 'I8', dtype: 'int8', bits: 8, array: Int8Array },
  { tag: 'U64', dtype: 'uint64', bits: 64, array: BigUint64Array },
  { tag: 'U32', dtype: 'uint32', bits: 32, array: Uint32Array },
  { tag: 'U16', dtype: 'uint16', bits: 16, array: Uint16Array },
  { tag: 'U8', dtype: 'uint8', bits: 8, array: Uint8Array },
  { tag: 'BOOL', dtype: 'bool', bits: 8, array: Uint8Array },
  { tag: 'F8_E4M3', dtype: 'float8_e4m3', bits: 8, array: Uint8Array },
  { tag: 'F8_E5M2', dtype: 'float8_e5m2', bits: 8, array: Uint8Array },
  { tag: 'C64', dtype: 'complex64', bits: 64, array: BigUint64Array },
  { tag: 'F8_E8M0', dtype: 'float8_e8m0', bits: 8, array: Uint8Array },
  { tag: 'F8_E4M3FNUZ', dtype: 'float8_e4m3fnuz', bits: 8, array: Uint8Array },
  { tag: 'F8_E5M2FNUZ', dtype: 'float8_e5m2fnuz', bits: 8, array: Uint8Array },
  { tag: 'F6_E2M3', dtype: 'float6_e2m3', bits: 6, array: Uint8Array },
  { tag: 'F6_E3M2', dtype: 'float6_e3m2', bits: 6, array: Uint8Array },
  { tag: 'F4', dtype: 'float4', bits: 4, array: Uint8Array },
]

export const fileTypeByTag: ReadonlyMap<string, FileType> = new Map(
  fileTypes.map(type => [type.tag, type]),
)
export const fileTypeByDtype: ReadonlyMap<string, FileType> = new Map(
  fileTypes.map(type => [type.dtype, type]),
)
