// The promise of equal bits, tested the same way for every operation.
import { describe, expect, test } from 'vitest'
import type { Reference } from '../reference/reference.ts'
import { expectSameBits } from './compare.ts'
import type { OperationSuite } from './describeOperation.ts'
import {
  bestIsa,
  type CallOptions,
  call,
  callPromised,
  isas,
  optionalOutputs,
  prepare,
  type Results,
  useIsa,
} from './engine.ts'
import { broadcastAxis, gapsIntact, type Layout, layouts, poisoned } from './layouts.ts'
import { Random } from './random.ts'
import { type Dense, type Inputs, sliceAxis, toDense, type View } from './tensors.ts'

function expectSameResults(got: Results, want: Results, label: string): void {
  for (const [name, view] of Object.entries(want)) {
    expect(got, `${label}: ${name}`).toHaveProperty([name])
    expectSameBits(got[name]!, view, `${label}: ${name}`)
  }
}

/** Entry `at` of a batch of `size`. */
function batchEntry(reference: Reference, inputs: Inputs, at: number): Inputs {
  const tensors = Object.entries(inputs.tensors).map(([name, tensor]): [string, Dense] => [
    name,
    reference.isBatched(name, tensor) ? sliceAxis(tensor, 0, at, at + 1) : tensor,
  ])
  return { ...inputs, tensors: Object.fromEntries(tensors) }
}

/** Memory for every output, laid out by `layout`, nothing written yet. */
const memoryFor = (results: Results, layout: Layout): Record<string, View> =>
  Object.fromEntries(Object.entries(results).map(([name, view]) => [name, layout(poisoned(view))]))

export function describeBits({ reference, cases, large, structure = [] }: OperationSuite): void {
  const { op, required, takesWeights } = reference
  const optionsFor = new Map<Inputs, CallOptions>()
  const drawn = Object.entries({ ...cases }).map(([name, generate]): [string, Inputs] => [
    name,
    generate(new Random(op, name, 0)),
  ])
  const drawnLarge = Object.entries(large).map(([name, generate]): [string, Inputs] => [
    name,
    generate(new Random(op, name, 0)),
  ])
  /** Asks for every output that the inputs can give. */
  function all(inputs: Inputs): CallOptions {
    let found = optionsFor.get(inputs)
    if (found === undefined) {
      const outputs = optionalOutputs(reference, inputs)
      found = { options: outputs.length > 0 ? { outputs } : {} }
      optionsFor.set(inputs, found)
    }
    return found
  }

  describe.each(isas)('the same bits, %s', isa => {
    /** What the plainest call gives: everything else is held against it. */
    const plain = new Map<Inputs, Results>()
    function wanted(inputs: Inputs): Results {
      let found = plain.get(inputs)
      if (found === undefined) {
        found = call(reference, inputs, all(inputs))
        plain.set(inputs, found)
      }
      return found
    }

    test.each(Object.entries(layouts))('inputs %s', (_, layout) => {
      useIsa(isa)
      for (const [name, inputs] of drawn) {
        const got = call(reference, inputs, { ...all(inputs), layout })
        expectSameResults(got, wanted(inputs), name)
      }
    })

    test.each(Object.entries(layouts))('outputs %s', (_, layout) => {
      useIsa(isa)
      for (const [name, inputs] of drawn) {
        const want = wanted(inputs)
        const into = memoryFor(want, layout)
        const got = call(reference, inputs, { options: { into } })
        expectSameResults(got, want, name)
        for (const [output, memory] of Object.entries(into)) {
          expect(got[output], `${name}: the very ${output} that was given`).toBe(memory)
          expect(gapsIntact(memory), `${name}: nothing beside ${output} is written`).toBe(true)
        }
      }
    })

    test('inputs with zero strides', () => {
      useIsa(isa)
      for (const [name, inputs] of drawn) {
        for (const [tensor, { data, shape }] of Object.entries(inputs.tensors)) {
          if (structure.includes(tensor)) continue
          shape.forEach((n, axis) => {
            if (n < 2) return
            const { dense, view } = broadcastAxis({ data, shape }, axis)
            const plain = { ...inputs, tensors: { ...inputs.tensors, [tensor]: dense } }
            const layout: Layout = t => (t === dense ? view : layouts.contiguous!(t))
            const label = `${name}: ${tensor}, axis ${axis}`
            expectSameResults(
              call(reference, plain, { ...all(inputs), layout }),
              call(reference, plain, all(inputs)),
              label,
            )
          })
        }
      }
    })

    test('any number of threads, synchronous or promise', async () => {
      useIsa(isa)
      for (const [name, inputs] of isa === bestIsa ? [...drawn, ...drawnLarge] : drawnLarge) {
        const { options } = all(inputs)
        const want = call(reference, inputs, { options: { ...options, threads: 1 } })
        for (const threads of isa === bestIsa ? [1, 2, 3] : [3]) {
          const given = { options: { ...options, threads } }
          expectSameResults(call(reference, inputs, given), want, `${name}, ${threads} threads`)
          const promised = await callPromised(reference, inputs, given)
          expectSameResults(promised, want, `${name}, ${threads} threads, promise`)
        }
      }
    })

    test('a split batch', () => {
      useIsa(isa)
      for (const [name, inputs] of [...drawn, ...drawnLarge.slice(0, isa === bestIsa ? 3 : 1)]) {
        const first = inputs.tensors[required[0]!]!
        if (!reference.isBatched(required[0]!, first) || first.shape[0]! < 2) continue
        const whole = wanted(inputs)
        for (let at = 0; at < Math.min(first.shape[0]!, 5); at++) {
          const part = call(reference, batchEntry(reference, inputs, at), all(inputs))
          for (const [output, view] of Object.entries(whole)) {
            const want = sliceAxis(toDense(view), 0, at, at + 1)
            expectSameBits(part[output]!, want, `${name}: ${output} of entry ${at}`)
          }
        }
      }
    })

    test('whichever outputs are asked for', () => {
      useIsa(isa)
      for (const [name, inputs] of drawn) {
        const alone = call(reference, inputs)
        expect(Object.keys(alone).sort(), name).toEqual([...reference.always].sort())
        for (const output of reference.always) {
          expectSameBits(alone[output]!, wanted(inputs)[output]!, `${name}: ${output}`)
        }
      }
    })

    if (!takesWeights) return
    test('prepared weights', () => {
      useIsa(isa)
      for (const [name, inputs] of [...drawn, ...drawnLarge.slice(0, 1)]) {
        if (Object.keys(inputs.weights).length === 0) continue
        const weights = prepare(op, inputs.weights, inputs.params)
        const got = call(reference, inputs, { ...all(inputs), weights })
        expectSameResults(got, wanted(inputs), name)
      }
    })
  })
}
