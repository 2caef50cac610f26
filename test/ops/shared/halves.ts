// Queries, keys and values of 16 bits: the bits that the same numbers give as float32.
import { describe, test } from 'vitest'
import { widen } from '../../../lib/core/tensors/half.ts'
import { bfloat16, float16 } from '../../../lib/core/tensors/view.ts'
import type { Reference } from '../../reference/reference.ts'
import { expectSameBits } from '../../support/compare.ts'
import { call, isas, optionalOutputs, useIsa } from '../../support/engine.ts'
import { layouts } from '../../support/layouts.ts'
import { Random } from '../../support/random.ts'
import { type Dense, type Inputs, sizeOf } from '../../support/tensors.ts'

type Half = 'float16' | 'bfloat16'

/** Of magnitude one or so, some of them 0 or, in float16, subnormal, and a few infinite. */
function halves(
  random: Random,
  shape: readonly number[],
  dtype: Half,
  infinite: number,
): Dense<Uint16Array> {
  const one = dtype === 'float16' ? 15 << 10 : 127 << 7
  const below = dtype === 'float16' ? 3 << 10 : 3 << 7
  const data = Uint16Array.from({ length: sizeOf(shape) }, () => {
    const sign = random.boolean() ? 0x8000 : 0
    if (random.boolean(infinite)) return dtype === 'float16' ? 0x7c00 : 0x7f80
    return sign | (random.boolean(0.1) ? random.integer(0, 0x7f) : random.integer(one - below, one))
  })
  return { data, shape }
}

function widened({ data, shape }: Dense<Uint16Array>, dtype: Half): Dense<Float32Array> {
  const floats = new Float32Array(data.length)
  widen(data, dtype === 'float16' ? float16 : bfloat16, floats)
  return { data: floats, shape }
}

const typesOf: readonly Readonly<Record<string, Half>>[] = [
  { query: 'float16', key: 'float16', value: 'float16' },
  { query: 'bfloat16', key: 'bfloat16', value: 'bfloat16' },
  { key: 'bfloat16', value: 'float16' },
  { query: 'float16' },
]

/** Inputs by name; what `query`, `key` and `value` hold is drawn anew. */
export function describeHalves(
  reference: Reference,
  inputs: Readonly<Record<string, Inputs>>,
): void {
  describe.each(isas)('16 bits, %s', isa => {
    test.each(typesOf)('%o', types => {
      useIsa(isa)
      for (const [name, given] of Object.entries(inputs)) {
        const random = new Random('halves', name)
        const narrow: Record<string, Dense<Uint16Array>> = {}
        const wide: Record<string, Dense> = { ...given.tensors }
        for (const [tensor, dtype] of Object.entries(types)) {
          const infinite = tensor === 'value' ? 0.003 : 0
          narrow[tensor] = halves(random, given.tensors[tensor]!.shape, dtype, infinite)
          wide[tensor] = widened(narrow[tensor], dtype)
        }
        const floats = { ...given, tensors: wide }
        const outputs = optionalOutputs(reference, floats)
        const options = outputs.length > 0 ? { outputs } : {}
        const want = call(reference, floats, { options })
        const mixed = { ...given, tensors: { ...given.tensors, ...narrow } }
        for (const [layout, lay] of Object.entries(layouts)) {
          const got = call(reference, mixed, {
            options,
            layout: tensor => {
              const named = Object.keys(narrow).find(key => narrow[key] === tensor)
              const view = lay(tensor)
              return named === undefined ? view : { ...view, dtype: types[named] }
            },
          })
          for (const [output, view] of Object.entries(want))
            expectSameBits(got[output]!, view, `${name}, ${layout}: ${output}`)
        }
      }
    })
  })
}
