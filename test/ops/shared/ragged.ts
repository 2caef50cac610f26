// Ragged batches: what generates them, and the promise that a segment has the bits of its own call.
import { expect, test } from 'vitest'
import type { Reference } from '../../reference/reference.ts'
import { segmentsOf } from '../../reference/segments.ts'
import { expectSameBits } from '../../support/compare.ts'
import type { Wrong } from '../../support/describeErrors.ts'
import { call, isas, useIsa } from '../../support/engine.ts'
import type { Random } from '../../support/random.ts'
import {
  type Dense,
  float32,
  type Inputs,
  int32,
  sliceAxis,
  toDense,
  uint8,
} from '../../support/tensors.ts'

/** Lengths of some segments: none, few enough for decoding, more than a panel. */
export const lengths = (random: Random, count = random.integer(1, 6)): number[] =>
  Array.from({ length: count }, () =>
    random.choose([0, random.integer(1, 8), random.integer(1, 60), random.integer(40, 110)]),
  )

export const sum = (lengths: readonly number[]): number => lengths.reduce((a, b) => a + b, 0)

/** Where each segment begins, and the last one ends. */
export const cumulative = (lengths: readonly number[]): Dense =>
  int32([0, ...lengths.map((_, s) => sum(lengths.slice(0, s + 1)))])

/** Every segment of `inputs` has the bits that a call of its own gives. */
export function testSegments(
  reference: Reference,
  queryName: string,
  keyName: string,
  inputs: Readonly<Record<string, Inputs>>,
): void {
  test.each(isas)('a ragged batch has the bits of a call for each segment, %s', isa => {
    useIsa(isa)
    for (const [name, whole] of Object.entries(inputs)) {
      for (const threads of [1, 3]) {
        const { out } = call(reference, whole, { options: { threads } })
        for (const { inputs: own, begin, end } of segmentsOf(whole, queryName, keyName)!) {
          const alone = call(reference, own)
          const part = sliceAxis(toDense(out!), 2, begin, end)
          expect(part.shape).toEqual(alone.out!.shape)
          expectSameBits(alone.out!, part, `${name}: rows ${begin} to ${end}`)
        }
      }
    }
  })
}

/** Four queries and four keys in one entry, cut like this. */
const wrongSegments = (
  queries: readonly number[],
  keys: readonly number[],
  argument: string,
  beside: object = {},
): Wrong => ({
  tensors: {
    query: float32([1, 1, 4, 3]),
    key: float32([1, 1, 4, 3]),
    value: float32([1, 1, 4, 3]),
    queryCumulativeLengths: int32(queries),
    keyCumulativeLengths: int32(keys),
    ...beside,
  },
  code: 'ERR_FOVEA_BOUNDS',
  argument,
})

/** What scaledDotProductAttention refuses of a ragged batch. */
export const wrongRagged: Readonly<Record<string, Wrong>> = {
  'one end of a ragged batch': {
    tensors: { queryCumulativeLengths: int32([0]) },
    code: 'ERR_FOVEA_TYPE',
    argument: 'keyCumulativeLengths',
  },
  'segments of several batch entries': {
    tensors: {
      query: float32([2, 1, 1, 3]),
      key: float32([2, 1, 1, 3]),
      value: float32([2, 1, 1, 3]),
      queryCumulativeLengths: int32([0, 1]),
      keyCumulativeLengths: int32([0, 1]),
    },
    code: 'ERR_FOVEA_SHAPE',
    argument: 'query',
  },
  'segments that begin late': wrongSegments([1, 4], [0, 4], 'queryCumulativeLengths'),
  'segments that fall': wrongSegments([0, 3, 2, 4], [0, 1, 1, 4], 'queryCumulativeLengths'),
  'segments that end early': wrongSegments([0, 2, 3], [0, 2, 4], 'queryCumulativeLengths'),
  'segments of unlike numbers': {
    ...wrongSegments([0, 4], [0, 2, 4], 'keyCumulativeLengths'),
    code: 'ERR_FOVEA_SHAPE',
  },
  'lengths beside segments': {
    ...wrongSegments([0, 4], [0, 4], 'keyLengths', { keyLengths: int32([4]) }),
    code: 'ERR_FOVEA_OPTION',
  },
  'a mask beside segments': {
    ...wrongSegments([0, 4], [0, 4], 'mask', { mask: uint8([4, 4], () => true) }),
    code: 'ERR_FOVEA_OPTION',
  },
  'causal segments of unlike lengths': {
    ...wrongSegments([0, 1, 4], [0, 2, 4], 'align'),
    params: { causal: true },
    code: 'ERR_FOVEA_ALIGN',
  },
}
