// An ONNX model of one node, written as the protocol buffer that it is: no library needed for so little.

/** A varint. */
function varint(value) {
  const bytes = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 0x80 : low)
  } while (rest > 0n)
  return Buffer.from(bytes)
}

/** Field numbers below are those of onnx.proto; the low bits say how a field is encoded. */
const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)])
const bytes = (field, value) => {
  const content = Buffer.from(value)
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content])
}
const float = (field, value) => {
  const content = Buffer.alloc(4)
  content.writeFloatLE(value)
  return Buffer.concat([varint((field << 3) | 5), content])
}
const message = (field, ...parts) => bytes(field, Buffer.concat(parts))

const float32 = 1

function attribute([name, value]) {
  if (Array.isArray(value)) {
    return message(5, bytes(1, name), ...value.map(element => integer(8, element)), integer(20, 7))
  }
  const isInteger = Number.isInteger(value)
  return message(
    5,
    bytes(1, name),
    isInteger ? integer(3, value) : float(2, value),
    integer(20, isInteger ? 2 : 1),
  )
}

function valueInfo(field, name, shape) {
  const dims = shape.map(size => message(1, integer(1, size)))
  const tensor = message(1, integer(1, float32), message(2, ...dims))
  return message(field, bytes(1, name), message(2, tensor))
}

function initializer([name, { data, shape }]) {
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const dims = shape.map(size => integer(1, size))
  return message(5, ...dims, integer(2, float32), bytes(8, name), bytes(9, raw))
}

/**
 * @param node `{ type, domain, attributes, inputs }`: inputs by position, '' for one left out.
 * @param inputs shapes of what each call feeds, by name
 * @param constants tensors that belong to the model, by name
 * @param output the shape of `out`
 */
export function modelOf(node, inputs, constants, output) {
  const { type, domain = '', attributes = {}, names } = node
  const graph = message(
    7,
    message(
      1,
      ...names.map(name => bytes(1, name)),
      bytes(2, 'out'),
      bytes(4, type),
      ...Object.entries(attributes).map(attribute),
      bytes(7, domain),
    ),
    bytes(2, 'graph'),
    ...Object.entries(constants).map(initializer),
    ...Object.entries(inputs).map(([name, shape]) => valueInfo(11, name, shape)),
    valueInfo(12, 'out', output),
  )
  const opset = (name, version) => message(8, bytes(1, name), integer(2, version))
  return Buffer.concat([integer(1, 10), graph, opset('', 20), opset('com.microsoft', 1)])
}
