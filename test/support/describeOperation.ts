// The tests that every operation has. A file test/ops/<op>.test.ts gives the operation's float64
// reference, named generators of seeded random inputs, and what is special about it:
//
//   describeOperation({
//     reference: softmax,                                  // test/reference/softmax.ts
//     cases: {                                             // drawn anew for every seed
//       'odd rows': random => ({ tensors: { x: random.tensor([3, 17]) }, weights: {}, params: {} }),
//     },
//     sizes: (n, random) => ...,                           // called with n = 1 .. 2 * lanes + 1
//     large: { 'many rows': random => ... },               // enough work for several threads; three
//     poison: ['x'],                                       // NaN and infinity reach what they must
//     wrong: {                                             // each must be refused, and how
//       'no last axis': { tensors: { x: float32([]) }, code: 'ERR_FOVEA_RANK', argument: 'x' },
//     },
//     properties() { test('rows sum to one', () => ...) },
//   })
//
// In this order, each on every instruction set that the machine has:
//   golden      every file of test/golden/<op>, within the file's own tolerance
//   reference   `cases` and `sizes` against the reference; fewer seeds on all sets but the best
//   properties  every layout of layouts.ts for inputs and outputs, zero strides, 1 to 3 threads,
//               promises, prepared weights, a split batch, fewer outputs: the same bits;
//               then the suite's own
//   errors      what every operation refuses, then `wrong`; the messages are pinned by a snapshot
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import type { Reference } from '../reference/reference.ts'
import { goldenFiles, goldenFolder, readCaseFile } from './caseFile.ts'
import { difference, type Tolerance } from './compare.ts'
import { describeBits } from './describeBits.ts'
import { describeErrors, type Wrong } from './describeErrors.ts'
import { describePoison } from './describePoison.ts'
import { bestIsa, call, isas, useIsa } from './engine.ts'
import { Random } from './random.ts'
import type { Dense, Inputs, Outputs } from './tensors.ts'

type Generator = (random: Random) => Inputs

export interface OperationSuite {
  readonly reference: Reference
  readonly cases: Readonly<Record<string, Generator>>
  readonly sizes?: (size: number, random: Random) => Inputs
  readonly large: Readonly<Record<string, Generator>>
  /** Tensors in which a NaN or infinity must reach exactly what the reference says. */
  readonly poison?: readonly string[]
  /** Tensors whose elements must stay in order: repeating one along an axis would break them. */
  readonly structure?: readonly string[]
  readonly wrong?: Readonly<Record<string, Wrong | ((valid: Inputs) => Wrong)>>
  readonly properties?: () => void
  readonly seeds?: { readonly best: number; readonly others: number }
  readonly tolerance?: Tolerance | ((output: string, inputs: Inputs, want: Dense) => Tolerance)
}

/** What float32 needs against float64 on inputs of magnitude one: the golden cases' own measure. */
const kTolerance: Tolerance = { rtol: 2e-5, atol: 4e-6 }

/** Names of the outputs that a call gives only when asked. */
const askedOutputs = ({ always }: Reference, outputs: Outputs): string[] =>
  Object.keys(outputs).filter(name => !always.includes(name))

/** The differences of every output of one call from what is wanted; empty where all is well. */
function differences(
  reference: Reference,
  inputs: Inputs,
  want: Outputs,
  tolerance: (output: string) => Tolerance,
): string[] {
  const outputs = askedOutputs(reference, want)
  const got = call(reference, inputs, { options: outputs.length > 0 ? { outputs } : {} })
  return Object.entries(want).flatMap(([name, tensor]) => {
    const view = got[name]
    const why = view === undefined ? 'missing' : difference(view, tensor, tolerance(name))
    return why === undefined ? [] : [`${name}: ${why}`]
  })
}

function expectNone(failures: readonly string[]): void {
  if (failures.length > 0) throw new Error(failures.join('\n'))
}

export function describeOperation(suite: OperationSuite): void {
  const { reference, cases, sizes, properties, seeds = { best: 6, others: 2 } } = suite
  const { op } = reference

  /** References are slow: each is computed once for all instruction sets. */
  const drawn = new Map<string, { inputs: Inputs; want: Outputs }>()
  function draw(
    name: string,
    seed: number,
    generate: Generator,
  ): { inputs: Inputs; want: Outputs } {
    const key = `${name}/${seed}`
    let found = drawn.get(key)
    if (found === undefined) {
      const inputs = generate(new Random(op, name, seed))
      found = { inputs, want: reference.compute(inputs) }
      drawn.set(key, found)
    }
    return found
  }
  function check(name: string, seed: number, generate: Generator): string[] {
    const { inputs, want } = draw(name, seed, generate)
    const { tolerance = kTolerance } = suite
    return differences(reference, inputs, want, output =>
      typeof tolerance === 'function' ? tolerance(output, inputs, want[output]!) : tolerance,
    ).map(why => `${name}, seed ${seed}: ${why}`)
  }

  describe(op, () => {
    if (existsSync(join(goldenFolder, op))) {
      describe.each(isas)('golden, %s', isa => {
        test.each(goldenFiles(op).map(path => readCaseFile(path)))('$name', file => {
          useIsa(isa)
          expectNone(differences(reference, file, file.expected, file.tolerance))
        })
      })
    }

    describe.each(isas)('reference, %s', isa => {
      const count = isa === bestIsa ? seeds.best : seeds.others
      test.each(Object.entries(cases))('%s', (name, generate) => {
        useIsa(isa)
        expectNone(Array.from({ length: count }, (_, seed) => check(name, seed, generate)).flat())
      })
      if (sizes !== undefined) {
        test('every size up to two vectors and one', () => {
          useIsa(isa)
          const all = Array.from({ length: 33 }, (_, n) =>
            check(`size ${n + 1}`, 0, random => sizes(n + 1, random)),
          )
          expectNone(all.flat())
        })
      }
    })

    describe('properties', () => {
      describeBits(suite)
      if (suite.poison !== undefined) describePoison(suite)
      properties?.()
    })

    describe('errors', () => describeErrors(suite))
  })
}
