// What causal, windows and ALiBi mean where queries and keys differ in number: never guessed.
import { describe, expect, test } from 'vitest'
import { plain, withParams } from '../ops/shared/attentionInputs.ts'
import { scaledDotProductAttention as reference } from '../reference/scaledDotProductAttention.ts'
import { expectSameBits } from '../support/compare.ts'
import { call } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs, int32 } from '../support/tensors.ts'

/** Which keys each query sees, drawn: values that are rows of the identity come out as weights. */
function drawn(Lq: number, Lk: number, params: object, tensors: object = {}): string[] {
  const inputs = {
    tensors: {
      query: float32([1, 1, Lq, 4], 1),
      key: float32([1, 1, Lk, 4], 1),
      value: float32([1, 1, Lk, Lk], n => (n % (Lk + 1) === 0 ? 1 : 0)),
      ...tensors,
    },
    weights: {},
    params: { ...params },
  }
  const { data } = call(reference, inputs).out!
  const rows = Array.from({ length: Lq }, (_, i) => Array.from(data.subarray(i * Lk, (i + 1) * Lk)))
  return rows.map(row => row.map(weight => (weight > 0 ? '#' : '.')).join(''))
}

describe('causal, drawn', () => {
  test('2 queries, 5 keys', () => {
    expect(drawn(2, 5, { causal: true, align: 'topLeft' })).toEqual(['#....', '##...'])
    expect(drawn(2, 5, { causal: true, align: 'bottomRight' })).toEqual(['####.', '#####'])
    const queryOffsets = int32([2])
    expect(drawn(2, 5, { causal: true }, { queryOffsets })).toEqual(['###..', '####.'])
  })

  test('5 queries, 2 keys', () => {
    const topLeft = ['#.', '##', '##', '##', '##']
    expect(drawn(5, 2, { causal: true, align: 'topLeft' })).toEqual(topLeft)
    const bottomRight = ['..', '..', '..', '#.', '##']
    expect(drawn(5, 2, { causal: true, align: 'bottomRight' })).toEqual(bottomRight)
  })

  test('a window, and key lengths that move the end of bottomRight', () => {
    const window = { windowLeft: 1, windowRight: 0 }
    expect(drawn(3, 5, { ...window, align: 'topLeft' })).toEqual(['#....', '##...', '.##..'])
    const keyLengths = int32([4])
    const moved = drawn(3, 5, { ...window, align: 'bottomRight' }, { keyLengths })
    expect(moved).toEqual(['##...', '.##..', '..##.'])
  })
})

describe('where queries and keys differ in number', () => {
  const random = new Random('alignment')
  const unequal = plain(random, { Lq: 5, Lk: 9 })
  const equal = plain(random, { Lq: 9, Lk: 9 })
  const [batch, heads] = unequal.tensors.query!.shape as [number, number]
  const queryOffsets = int32(Array(batch).fill(4))
  const shortened = int32(Array(equal.tensors.query!.shape[0]!).fill(7))
  const undecided: readonly (readonly [string, Inputs])[] = [
    ['causal', withParams(unequal, { causal: true })],
    ['windowLeft', withParams(unequal, { windowLeft: 2 })],
    ['windowRight', withParams(unequal, { windowRight: 2 })],
    ['alibiSlopes', withParams(unequal, {}, { alibiSlopes: float32([heads], 0.1) })],
    ['keyLengths', withParams(equal, { causal: true }, { keyLengths: shortened })],
  ]

  test.each(undecided)('%s needs align or queryOffsets', (_, inputs) => {
    expect(() => call(reference, inputs)).toThrow(
      expect.objectContaining({
        code: 'ERR_FOVEA_ALIGN',
        message: expect.stringMatching(/align .*'bottomRight' or 'topLeft'.*queryOffsets/),
      }),
    )
    for (const align of ['topLeft', 'bottomRight']) call(reference, withParams(inputs, { align }))
    const offsets = int32(Array(inputs.tensors.query!.shape[0]!).fill(4))
    call(reference, withParams(inputs, {}, { queryOffsets: offsets }))
  })

  test('nothing is asked where it makes no difference', () => {
    call(reference, unequal)
    call(reference, withParams(equal, { causal: true, windowLeft: 2 }))
    call(reference, withParams(unequal, { windowLeft: -1, windowRight: -1, causal: false }))
  })

  test('queryOffsets wins over align', () => {
    const inputs = withParams(unequal, { causal: true }, { queryOffsets })
    const { out } = call(reference, withParams(inputs, { align: 'topLeft' }))
    expectSameBits(out!, call(reference, withParams(inputs, { align: 'bottomRight' })).out!)
  })
})
