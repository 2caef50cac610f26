import { describe, expect, test } from 'vitest'
import {
  mergeAttention,
  scaledDotProductAttention,
  slice,
  slidingWindowAttention,
} from '../../lib/index.ts'
import { mergeAttention as reference } from '../reference/mergeAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

const parts = (random: Random, shape: readonly number[], blind = 0.2): Inputs => ({
  tensors: {
    outs: random.tensor(shape),
    lses: float32(shape.slice(0, -1), () =>
      random.boolean(blind) ? Number.NEGATIVE_INFINITY : 10 * random.normal(),
    ),
  },
  weights: {},
  params: {},
})

describeOperation({
  reference,
  cases: {
    some: random => parts(random, [random.integer(1, 4), 2, 3, random.integer(1, 70), 7]),
    'one part': random => parts(random, [1, 1, 2, 5, 3]),
    'no part saw anything': random => parts(random, [3, 1, 2, 5, 3], 1.1),
    'no row': random => parts(random, [2, 1, 2, 0, 3]),
  },
  large: {
    long: random => parts(random, [2, 2, 4, 500, 64]),
    'many parts': random => parts(random, [9, 1, 8, 300, 33]),
    'many heads': random => parts(random, [2, 8, 16, 33, 64]),
  },
  properties: () => {
    describe.each(isas)('%s', isa => {
      test('keys split at any place give the whole', () => {
        useIsa(isa)
        const random = new Random('merge', isa)
        const q = random.tensor([2, 3, 40, 24])
        const [k, v] = [random.tensor([2, 3, 90, 24]), random.tensor([2, 3, 90, 16])]
        const whole = scaledDotProductAttention(q, k, v, { outputs: ['lse'] })
        const outs = new Float32Array(2 * 2 * 3 * 40 * 16)
        const lses = new Float32Array(2 * 2 * 3 * 40)
        for (const [part, begin, end] of [
          [0, 0, 33],
          [1, 33, 90],
        ] as const)
          scaledDotProductAttention(q, slice(k, 2, begin, end), slice(v, 2, begin, end), {
            into: {
              out: { data: outs, shape: [2, 3, 40, 16], offset: part * 3840 },
              lse: { data: lses, shape: [2, 3, 40], offset: part * 240 },
            },
          })
        const merged = mergeAttention(
          { data: outs, shape: [2, 2, 3, 40, 16] },
          { data: lses, shape: [2, 2, 3, 40] },
          { outputs: ['lse'] },
        )
        for (const [i, value] of whole.out.data.entries())
          expect(merged.out.data[i]).toBeCloseTo(value as number, 5)
        for (const [i, value] of whole.lse.data.entries())
          expect(merged.lse.data[i]).toBeCloseTo(value as number, 5)
      })

      test('windows before and behind a query give the window around it', () => {
        useIsa(isa)
        const random = new Random('windows', isa)
        const x = random.tensor([1, 2, 64, 16])
        const both = slidingWindowAttention(x, x, x, {
          windowLeft: 5,
          windowRight: 7,
          outputs: ['lse'],
        })
        const left = slidingWindowAttention(x, x, x, {
          windowLeft: 5,
          windowRight: 0,
          outputs: ['lse'],
        })
        const right = scaledDotProductAttention(x, x, x, {
          queryOffsets: { data: Int32Array.of(4), shape: [1] },
          windowLeft: 3,
          windowRight: 3,
          outputs: ['lse'],
        })
        const stack = (a: Float32Array, b: Float32Array): Float32Array =>
          Float32Array.from([...a, ...b])
        const merged = mergeAttention(
          { data: stack(left.out.data, right.out.data), shape: [2, 1, 2, 64, 16] },
          { data: stack(left.lse.data, right.lse.data), shape: [2, 1, 2, 64] },
        )
        for (const [i, value] of both.out.data.entries())
          expect(merged.out.data[i]).toBeCloseTo(value as number, 5)
      })
    })
  },
  wrong: {
    'lses of other rows': ({ tensors }) => ({
      tensors: { lses: float32(tensors.lses!.shape.map((n, axis) => (axis === 3 ? n + 1 : n))) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'lses',
    }),
  },
})
