// One NaN or infinity in an input: it reaches exactly what depends on it. Hidden entries never matter,
// visible ones are never silenced. The reference, which touches nothing hidden, says which is which.
import { expect, test } from 'vitest'
import type { OperationSuite } from './describeOperation.ts'
import { call, isas, optionalOutputs, useIsa } from './engine.ts'
import { Random } from './random.ts'
import { type Dense, emptyLike, type Inputs, toDense, type View } from './tensors.ts'

function withElement(inputs: Inputs, name: string, at: number, value: number): Inputs {
  const { data, shape } = inputs.tensors[name]!
  const changed = emptyLike(data, data.length)
  changed.set(data as never)
  changed[at] = value
  return { ...inputs, tensors: { ...inputs.tensors, [name]: { data: changed, shape } } }
}

interface Verdict {
  /** Elements that a poisoned input cannot reach, and yet are not what they were. */
  readonly changed: number[]
  /** Elements that it must make NaN, and that are none. */
  readonly silenced: number[]
}

/** The reference is NaN where the poisoned input counts. */
function judge(got: View, clean: View, { data: want }: Dense): Verdict {
  const verdict: Verdict = { changed: [], silenced: [] }
  const [after, before] = [toDense(got).data, toDense(clean).data]
  for (let n = 0; n < want.length; n++) {
    if (!Number.isNaN(want[n]!)) {
      if (!Object.is(after[n], before[n])) verdict.changed.push(n)
    } else if (!Number.isNaN(after[n]!)) verdict.silenced.push(n)
  }
  return verdict
}

const trials = 4

export function describePoison({ reference, cases, poison = [] }: OperationSuite): void {
  const { op } = reference
  const drawn = Object.entries(cases).map(([name, generate]) => {
    const random = new Random(op, name, 'poison')
    const inputs = generate(random)
    const spoiled = poison.flatMap(tensor => {
      const size = inputs.tensors[tensor]?.data.length ?? 0
      if (size === 0) return []
      return Array.from({ length: trials }, () => {
        const at = random.integer(0, size - 1)
        const want = reference.compute(withElement(inputs, tensor, at, Number.NaN))
        return { label: `${name}: ${tensor}[${at}]`, tensor, at, want }
      })
    })
    return { inputs, spoiled }
  })

  test.each(isas)('a NaN or infinity reaches what depends on it and nothing else, %s', isa => {
    useIsa(isa)
    for (const { inputs, spoiled } of drawn) {
      const options = { options: { outputs: optionalOutputs(reference, inputs) } }
      const clean = call(reference, inputs, options)
      for (const { label, tensor, at, want } of spoiled) {
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          // A bias of -inf is a mask, not a poison.
          if (tensor === 'bias' && value === Number.NEGATIVE_INFINITY) continue
          const got = call(reference, withElement(inputs, tensor, at, value), options)
          for (const [output, wanted] of Object.entries(want)) {
            const { changed, silenced } = judge(got[output]!, clean[output]!, wanted)
            const where = `${label} = ${value}: ${output}`
            expect(changed, `${where}, what it cannot reach`).toEqual([])
            if (Number.isNaN(value)) expect(silenced, `${where}, silenced`).toEqual([])
          }
        }
      }
    }
  })
}
