// Ragged batches: one attention problem after another along the rows of a single batch entry.
import { type Inputs, sliceAxis } from '../support/tensors.ts'
import { indices, row, set, setRow } from './grid.ts'
import { type Dense64, float64, range } from './maths.ts'

type Attend = (inputs: Inputs) => { out: Dense64; lse?: Dense64 }

const kQueryTensors = new Set(['query', 'globalQuery', 'globalTokens'])
const kKeyTensors = new Set(['key', 'value', 'globalKey', 'globalValue'])

/** A segment's own inputs, and the rows of the whole that its queries are. */
export interface Segment {
  readonly inputs: Inputs
  readonly begin: number
  readonly end: number
}

/** The segments of a ragged batch; undefined where the inputs have none. */
export function segmentsOf(
  inputs: Inputs,
  queryName: string,
  keyName: string,
): Segment[] | undefined {
  const { [queryName]: queryEnds, [keyName]: keyEnds, ...tensors } = inputs.tensors
  if (queryEnds === undefined || keyEnds === undefined) return undefined
  return range(queryEnds.shape[0]! - 1).map(s => {
    const [begin, end] = [queryEnds.data[s]!, queryEnds.data[s + 1]!]
    const [k0, k1] = [keyEnds.data[s]!, keyEnds.data[s + 1]!]
    const own = Object.entries(tensors).map(([name, tensor]) => {
      const axis = name === 'globalTokens' ? 1 : 2
      if (kQueryTensors.has(name)) return [name, sliceAxis(tensor, axis, begin, end)] as const
      if (kKeyTensors.has(name)) return [name, sliceAxis(tensor, axis, k0, k1)] as const
      return [name, tensor] as const
    })
    return { inputs: { ...inputs, tensors: Object.fromEntries(own) }, begin, end }
  })
}

/** Each segment on its own; undefined where the inputs have no segments. */
export function bySegments(
  inputs: Inputs,
  queryName: string,
  keyName: string,
  attend: Attend,
): { out: Dense64; lse?: Dense64 } | undefined {
  const segments = segmentsOf(inputs, queryName, keyName)
  if (segments === undefined) return undefined
  const [B, H, L] = inputs.tensors.query!.shape as [number, number, number]
  const out = float64([B, H, L, inputs.tensors.value!.shape[3]!])
  const lse = float64([B, H, L])
  let hasLse = false
  for (const { inputs: own, begin, end } of segments) {
    const part = attend(own)
    hasLse ||= part.lse !== undefined
    for (const [b, h, i] of indices([B, H, end - begin]) as Iterable<[number, number, number]>) {
      setRow(out, row(part.out, b, h, i), b, h, begin + i)
      if (part.lse) set(lse, row(part.lse, b, h, i)[0]!, b, h, begin + i)
    }
  }
  return hasLse ? { out, lse } : { out }
}
