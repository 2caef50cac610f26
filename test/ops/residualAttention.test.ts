import { expect, test } from 'vitest'
import { residualAttention as reference } from '../reference/residualAttention.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

type Shape = readonly [B: number, C: number, H: number, W: number]

const kinds = ['mixed', 'channel', 'spatial']

function gated(random: Random, shape: Shape, params: Inputs['params'] = {}, shift = 0): Inputs {
  const tensors = { trunk: random.tensor(shape), maskLogits: random.tensor(shape, 2, shift) }
  return { tensors, weights: {}, params }
}

describeOperation({
  reference,
  cases: {
    plain: random => gated(random, [2, random.integer(1, 20), 5, 7]),
    channel: random => gated(random, [2, random.integer(1, 40), 5, 7], { activation: 'channel' }),
    spatial: random => gated(random, [2, 3, random.integer(1, 9), 7], { activation: 'spatial' }),
    'one position': random => gated(random, [3, 5, 1, 1], { activation: 'spatial' }),
    'a mean far above the deviation': random =>
      gated(random, [1, 3, 6, 9], { activation: 'spatial' }, 3000),
    'another eps': random =>
      gated(random, [1, 3, 4, 5], { activation: random.choose(kinds), eps: 0.5 }),
    'eps without a use': random =>
      gated(random, [1, 3, 4, 5], { activation: 'mixed', eps: -random.next() }),
  },
  sizes: (n, random) => gated(random, [1, 2, 2, n], { activation: kinds[n % 3] }),
  large: {
    mixed: random => gated(random, [2, 12, 41, 43]),
    channel: random => gated(random, [2, 24, 31, 33], { activation: 'channel' }),
    spatial: random => gated(random, [2, 24, 31, 33], { activation: 'spatial' }),
  },
  poison: ['trunk', 'maskLogits'],
  wrong: {
    'logits of another shape': {
      tensors: { maskLogits: float32([2, 1, 5, 8]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'maskLogits',
    },
    'a map without rows': {
      tensors: { trunk: float32([1, 3, 0, 7]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'trunk',
    },
    'no eps': {
      params: { activation: 'channel', eps: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'eps',
    },
    'an unknown activation': {
      params: { activation: 'spacial' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'activation',
    },
  },
  properties() {
    test.each(isas)('logits of zero add a half, none, a half, %s', isa => {
      useIsa(isa)
      const trunk = new Random('residualAttention').tensor([2, 3, 5, 7])
      for (const [activation, times] of [
        ['mixed', 1.5],
        ['channel', 1],
        ['spatial', 1.5],
      ] as const) {
        const params = { activation, ...(activation === 'channel' && { eps: 1e-300 }) }
        const maskLogits = float32([2, 3, 5, 7])
        const { out } = call(reference, { tensors: { trunk, maskLogits }, weights: {}, params })
        expect(Array.from(out!.data), activation).toEqual(
          Array.from(trunk.data, v => Math.fround(times * v)),
        )
      }
    })

    test.each(isas)('the trunk may be overwritten, %s', isa => {
      useIsa(isa)
      for (const activation of kinds) {
        const inputs = gated(new Random('in place'), [2, 3, 5, 19], { activation })
        const want = call(reference, inputs).out!
        const { trunk, maskLogits } = inputs.tensors
        const { out } = operation('residualAttention')(trunk, maskLogits, {
          activation,
          into: { out: trunk },
        })
        expect(out!.data, activation).toEqual(want.data)
      }
    })

    test.each(isas)('lengths past the range of float32 squares, %s', isa => {
      useIsa(isa)
      const maskLogits = float32([1, 2, 1, 2], n => [3e25, 3e-25, 4e25, -4e-25][n]!)
      const inputs = { tensors: { trunk: float32([1, 2, 1, 2], 1), maskLogits }, weights: {} }
      const params = { activation: 'channel', eps: 1e-30 }
      const { out } = call(reference, { ...inputs, params })
      const want = [1.6, 1.6, 1.8, 0.2]
      for (const [n, value] of want.entries()) expect(out!.data[n]).toBeCloseTo(value, 6)
    })
  },
})
