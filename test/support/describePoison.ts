// One NaN or infinity in an input: it reaches exactly what depends on it. Hidden entries never matter,
// visible ones are never silenced. The reference, which touches nothing hidden, says which is which.
import { expect, test } from 'vitest'
import { sameBits } from './compare.ts'
import { askedOutputs, type OperationSuite } from './describeOperation.ts'
import { call, isas, useIsa } from './engine.ts'
import { Random } from './random.ts'
import { type Dense, emptyLike, type Inputs, toDense } from './tensors.ts'

function withElement(inputs: Inputs, name: string, at: number, value: number): Inputs {
  const { data, shape } = inputs.tensors[name]!
  const changed = emptyLike(data, data.length)
  changed.set(data as never)
  changed[at] = value
  return { ...inputs, tensors: { ...inputs.tensors, [name]: { data: changed, shape } } }
}

/** Bits of the elements that `where` picks. */
const picked = ({ data }: Dense, where: readonly number[]): Dense => ({
  data: Float32Array.from(where, n => data[n]!),
  shape: [where.length],
})

const trials = 4

export function describePoison({ reference, cases, poison = [] }: OperationSuite): void {
  const { op } = reference
  const drawn = Object.entries(cases).flatMap(([name, generate]) => {
    const random = new Random(op, name, 'poison')
    const inputs = generate(random)
    return poison.flatMap(tensor => {
      const size = inputs.tensors[tensor]?.data.length ?? 0
      if (size === 0) return []
      return Array.from({ length: trials }, () => {
        const at = random.integer(0, size - 1)
        const want = reference.compute(withElement(inputs, tensor, at, Number.NaN))
        return { label: `${name}: ${tensor}[${at}]`, inputs, tensor, at, want }
      })
    })
  })

  test.each(isas)('a NaN or infinity reaches what depends on it and nothing else, %s', isa => {
    useIsa(isa)
    for (const { label, inputs, tensor, at, want } of drawn) {
      const options = { options: { outputs: askedOutputs(reference, want) } }
      const clean = call(reference, inputs, options)
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        // A bias of -inf is a mask, not a poison.
        if (tensor === 'bias' && value === Number.NEGATIVE_INFINITY) continue
        const got = call(reference, withElement(inputs, tensor, at, value), options)
        for (const [output, wanted] of Object.entries(want)) {
          const result = toDense(got[output]!)
          const all = Array.from(wanted.data.keys())
          const reached = all.filter(n => Number.isNaN(wanted.data[n]!))
          const others = all.filter(n => !Number.isNaN(wanted.data[n]!))
          const before = picked(toDense(clean[output]!), others)
          const where = `${label} = ${value}: ${output}`
          expect(sameBits(picked(result, others), before), `${where}, what it cannot reach`).toBe(
            true,
          )
          if (!Number.isNaN(value)) continue
          expect(
            reached.filter(n => !Number.isNaN(result.data[n]!)),
            `${where}, silenced`,
          ).toEqual([])
        }
      }
    }
  })
}
