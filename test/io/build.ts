/** A file of a header and data, right or wrong, in the plainest way: the tests' own writer. */
export function fileOf(header: unknown, data: Uint8Array | number = 0, padding = ''): Uint8Array {
  const json = Buffer.from((typeof header === 'string' ? header : JSON.stringify(header)) + padding)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.byteLength))
  const body = typeof data === 'number' ? Buffer.alloc(data) : data
  return new Uint8Array(Buffer.concat([length, json, body]))
}

/** One entry of a header. */
export function entry(dtype: string, shape: number[], begin: number, end: number): object {
  return { dtype, shape, data_offsets: [begin, end] }
}
