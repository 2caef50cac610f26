import { classAttentionBlock as reference } from '../reference/classAttentionBlock.ts'
import { describeOperation } from '../support/describeOperation.ts'
import type { Random } from '../support/random.ts'
import { float32, type Inputs } from '../support/tensors.ts'

interface Sizes {
  readonly B?: number
  readonly N?: number
  readonly D?: number
  readonly heads?: number
}

function layer(random: Random, given: Sizes = {}, params: object = {}): Inputs {
  const { B = random.integer(1, 3), N = random.integer(1, 40) } = given
  const { D = random.integer(2, 16), heads = random.integer(1, 4) } = given
  const C = D * heads
  const M = random.integer(1, 3 * C)
  const vectors = ['gamma_1', 'gamma_2', 'norm1.weight', 'norm1.bias', 'norm2.weight', 'norm2.bias']
  const biases = ['q', 'k', 'v'].filter(() => random.boolean()).map(name => `attn.${name}.bias`)
  const square = ['q', 'k', 'v', 'proj'].map(name => `attn.${name}.weight`)
  return {
    tensors: { x: random.tensor([B, N, C]), xCls: random.tensor([B, 1, C]) },
    weights: {
      ...Object.fromEntries(
        [...vectors, ...biases, 'attn.proj.bias', 'mlp.fc2.bias'].map(name => [
          name,
          random.tensor([C]),
        ]),
      ),
      ...Object.fromEntries(square.map(name => [name, random.tensor([C, C], C ** -0.5)])),
      'mlp.fc1.weight': random.tensor([M, C], C ** -0.5),
      'mlp.fc1.bias': random.tensor([M]),
      'mlp.fc2.weight': random.tensor([C, M], M ** -0.5),
    },
    params: { heads, ...params },
  }
}

describeOperation({
  reference,
  cases: {
    plain: random => layer(random),
    'another eps': random => layer(random, {}, { normEps: 0.1 }),
    'no patch': random => layer(random, { N: 0 }),
    'no batch': random => layer(random, { B: 0 }),
  },
  sizes: (n, random) => layer(random, { B: 1, N: n % 7, D: n + 1, heads: 1 }),
  large: {
    wide: random => layer(random, { B: 2, N: 196, D: 24, heads: 6 }),
    long: random => layer(random, { B: 3, N: 700, D: 8, heads: 2 }),
    'many heads': random => layer(random, { B: 1, N: 300, D: 8, heads: 12 }),
  },
  seeds: { best: 4, others: 2 },
  tolerance: () => ({ rtol: 2e-5, atol: 1e-5 }),
  poison: ['x', 'xCls'],
  wrong: {
    'heads that do not divide': {
      params: { heads: 100 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'heads',
    },
    'several class tokens': ({ tensors }) => ({
      tensors: { xCls: float32([tensors.x!.shape[0]!, 2, tensors.x!.shape[2]!]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'xCls',
    }),
    'an eps of nothing': { params: { normEps: 0 }, code: 'ERR_FOVEA_OPTION', argument: 'normEps' },
  },
})
