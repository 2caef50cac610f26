import { test } from 'vitest'
import { attentionGateSameSize as reference } from '../reference/attentionGateSameSize.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { isas, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'
import { expectInPlace, expectScaled, layer, zeroed } from './shared/gateInputs.ts'
import { normWeights } from './shared/normInputs.ts'

interface Shape {
  readonly x: readonly number[]
  readonly G?: number
  readonly inner?: number
}

function gate(random: Random, { x, G = 5, inner = 3 }: Shape): Inputs {
  const [B, C, ...size] = x as [number, number, ...number[]]
  const one = size.map(() => 1)
  return {
    tensors: { x: random.tensor(x), gating: random.tensor([B, G, ...size]) },
    weights: {
      ...layer(random, 'W_g.0.conv', [inner, G, ...one], true),
      ...normWeights(random, 'W_g.1', inner),
      ...layer(random, 'W_x.0.conv', [inner, C, ...one], true),
      ...normWeights(random, 'W_x.1', inner),
      ...layer(random, 'psi.0.conv', [1, inner, ...one], true),
      ...normWeights(random, 'psi.1', 1),
    },
    params: random.choose([{}, { bnEps: 1e-3 }]),
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => gate(random, { x: [2, 4, 7, 8] }),
    any: random =>
      gate(random, {
        x: [random.integer(1, 3), random.integer(1, 20), random.integer(1, 9), 7],
        G: random.integer(1, 20),
        inner: random.integer(1, 20),
      }),
    'three axes': random => gate(random, { x: [1, 2, 5, 4, 3] }),
    'one position': random => gate(random, { x: [2, 3, 1, 1] }),
    'no entry': random => gate(random, { x: [0, 3, 4, 4] }),
  },
  large: {
    'several groups of entries': random => gate(random, { x: [5, 24, 60, 50], inner: 4 }),
  },
  seeds: { best: 3, others: 1 },
  wrong: {
    'gating of another size': {
      tensors: { gating: float32([2, 5, 7, 7]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'gating',
    },
    'convolutions of other axes': {
      weights: { 'W_x.0.conv.weight': float32([3, 4, 1, 1, 1]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.W_x.0.conv.weight',
    },
    'a kernel of more than one tap': {
      weights: { 'W_g.0.conv.weight': float32([3, 5, 3, 3]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.W_g.0.conv.weight',
    },
    'no bias': {
      weights: { 'psi.0.conv.bias': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.psi.0.conv.bias',
    },
  },
  properties() {
    test.each(isas)('logits of zero halve x, also in place, %s', isa => {
      useIsa(isa)
      const inputs = gate(new Random('gate'), { x: [2, 4, 7, 9] })
      const last = /^psi\.(0\.conv|1\.(weight|bias)|1\.running_mean)/
      expectScaled(
        reference,
        zeroed(inputs, name => last.test(name)),
        0.5,
      )
      expectInPlace(reference, inputs)
    })
  },
})
