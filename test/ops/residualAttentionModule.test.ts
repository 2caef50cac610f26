import { expect, test } from 'vitest'
import { residualAttentionModule as reference } from '../reference/residualAttentionModule.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs } from '../support/tensors.ts'
import { normWeights } from './shared/normInputs.ts'

interface Module {
  readonly variant?: 'imagenet' | 'cifar' | 'plain'
  readonly stage: number
  readonly B?: number
  readonly C?: number
  readonly size?: readonly [H: number, W: number]
  readonly conv4?: boolean
  readonly params?: Inputs['params']
}

/** The blocks of the mask branch and the head, spelled out from the reference implementation. */
const branches: Record<string, readonly (readonly [blocks: readonly string[], head: string])[]> = {
  imagenet: [
    [
      ['1', '2', '3', '4.0', '4.1', '5', '6', '7'].map(n =>
        `softmax${n}`.replace(/(\.|$)/, '_blocks$1'),
      ),
      'softmax8_blocks',
    ],
    [
      ['1', '2', '3.0', '3.1', '4', '5'].map(n => `softmax${n}`.replace(/(\.|$)/, '_blocks$1')),
      'softmax6_blocks',
    ],
    [
      ['softmax1_blocks', 'softmax2_blocks.0', 'softmax2_blocks.1', 'softmax3_blocks'],
      'softmax4_blocks',
    ],
    [['softmax1_blocks.0', 'softmax1_blocks.1'], 'softmax2_blocks'],
  ],
  cifar: [
    [[], ''],
    [
      ['down_residual_blocks1', 'middle_2r_blocks.0', 'middle_2r_blocks.1', 'up_residual_blocks1'],
      'conv1_1_blocks',
    ],
    [['middle_2r_blocks.0', 'middle_2r_blocks.1'], 'conv1_1_blocks'],
    [['middle_2r_blocks.0', 'middle_2r_blocks.1'], 'conv1_1_blocks'],
  ],
}
const skips: Record<string, readonly number[]> = { imagenet: [3, 2, 1, 0], cifar: [0, 1, 0, 0] }

function attended(random: Random, given: Module): Inputs {
  const { variant = 'imagenet', stage, B = 1, C = 4, size = [5, 6], conv4 = false } = given
  const like = variant === 'plain' ? 'imagenet' : variant
  const [blocks, head] = branches[like]![stage]!
  const unit = (
    norm: string,
    conv: string,
    outs: number,
    ins: number,
    k = 1,
  ): Record<string, Dense> => ({
    ...normWeights(random, norm, ins),
    [`${conv}.weight`]: random.tensor([outs, ins, k, k], (ins * k * k) ** -0.5),
  })
  const block = (name: string): Record<string, Dense> => ({
    ...unit(`${name}.bn1`, `${name}.conv1`, C / 4, C),
    ...unit(`${name}.bn2`, `${name}.conv2`, C / 4, C / 4, 3),
    ...unit(`${name}.bn3`, `${name}.conv3`, C, C / 4),
    ...(conv4 ? { [`${name}.conv4.weight`]: float32([C, C, 1, 1], Number.NaN) } : {}),
  })
  const all = [
    'first_residual_blocks',
    'trunk_branches.0',
    'trunk_branches.1',
    ...Array.from(
      { length: skips[like]![stage]! },
      (_, k) => `skip${k + 1}_connection_residual_block`,
    ),
    ...blocks,
    'last_blocks',
  ]
  return {
    tensors: { x: random.tensor([B, C, ...size]) },
    weights: {
      ...Object.assign({}, ...all.map(block)),
      ...unit(`${head}.0`, `${head}.2`, C, C),
      ...unit(`${head}.3`, `${head}.5`, C, C),
    },
    params: { variant, stage, ...given.params },
  }
}

describeOperation({
  reference,
  cases: {
    'one pooling': random => attended(random, { stage: 3, B: 2, C: 8, conv4: true }),
    'two poolings': random => attended(random, { stage: 2, size: [7, 5], params: { bnEps: 1e-3 } }),
    'three poolings': random => attended(random, { stage: 1, size: [9, 7] }),
    'four poolings': random => attended(random, { stage: 0, size: [17, 3] }),
    plain: random => attended(random, { variant: 'plain', stage: 1, size: [6, 9], C: 12 }),
    'cifar, two poolings': random => attended(random, { variant: 'cifar', stage: 1, B: 2 }),
    'cifar, one pooling': random => attended(random, { variant: 'cifar', stage: 2, C: 8 }),
    'cifar, none': random =>
      attended(random, { variant: 'cifar', stage: 3, params: { sizes: [[5, 6]] } }),
    'one position': random => attended(random, { stage: 2, size: [1, 1] }),
    'a column': random =>
      attended(random, {
        stage: 2,
        size: [4, 1],
        params: {
          sizes: [
            [4, 1],
            [2, 1],
          ],
        },
      }),
  },
  sizes: (n, random) => attended(random, { stage: 3, size: [2, n] }),
  large: {
    plain: random => attended(random, { stage: 2, B: 2, C: 32, size: [14, 14] }),
    'one entry at a time': random => attended(random, { stage: 3, B: 2, C: 48, size: [53, 57] }),
  },
  seeds: { best: 2, others: 1 },
  tolerance: () => ({ rtol: 4e-5, atol: 2e-5 }),
  wrong: {
    'no stage': { params: { stage: undefined }, code: 'ERR_FOVEA_OPTION', argument: 'stage' },
    'a stage that imagenet does not have': {
      params: { stage: 4 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'stage',
    },
    'a stage that cifar does not have': {
      params: { variant: 'cifar', stage: 0 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'stage',
    },
    'another stage than the weights have': {
      params: { stage: 2 },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.softmax1_blocks.0.bn1.weight',
    },
    'sizes that x does not have': {
      params: { sizes: [[6, 6]] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'sizes',
    },
    'more sizes than poolings': {
      params: {
        sizes: [
          [5, 6],
          [3, 3],
        ],
      },
      code: 'ERR_FOVEA_OPTION',
      argument: 'sizes',
    },
    'sizes of three axes': {
      params: { sizes: [[5, 6, 1]] },
      code: 'ERR_FOVEA_OPTION',
      argument: 'sizes[0]',
    },
    'channels that four does not divide': {
      tensors: { x: float32([1, 6, 5, 6]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.first_residual_blocks.bn1.weight',
    },
    'a missing convolution': {
      weights: { 'trunk_branches.1.conv2.weight': undefined },
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: 'weights.trunk_branches.1.conv2.weight',
    },
    'a misspelled block': {
      weights: {
        'last_blocks.bn3.running_var': undefined,
        'last_block.bn3.running_var': float32([2]),
      },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.last_block.bn3.running_var',
    },
    'a bias that no convolution has': {
      weights: { 'last_blocks.conv3.bias': float32([8]) },
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.last_blocks.conv3.bias',
    },
    'a kernel of another size': {
      weights: { 'last_blocks.conv2.weight': float32([2, 2, 1, 1]) },
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: 'weights.last_blocks.conv2.weight',
    },
  },
  properties() {
    const run = operation('residualAttentionModule')

    test.each(isas)('a head without weights makes a mask of halves, %s', isa => {
      useIsa(isa)
      const inputs = attended(new Random('halves'), { stage: 2, C: 8 })
      const last = 'softmax4_blocks.5.weight'
      const weights = { ...inputs.weights, [last]: float32([8, 8, 1, 1]) }
      const { mask } = call(reference, { ...inputs, weights }, { options: { outputs: ['mask'] } })
      expect(mask!.data.every(value => value === 0.5)).toBe(true)
    })

    test.each(isas)('x may be overwritten, with counters among the weights, %s', isa => {
      useIsa(isa)
      const { tensors, weights, params } = attended(new Random('in place'), { stage: 2, B: 2 })
      const want = call(reference, { tensors, weights, params }).out!.data
      const { x } = tensors
      const counted = { ...weights, 'last_blocks.bn1.num_batches_tracked': float32([]) }
      const { out } = run(x, counted, { ...params, into: { out: x } })
      expect(out!.data).toEqual(want)
    })

    test('plain has one stage, which may be left out', () => {
      const { tensors, weights } = attended(new Random('plain'), { variant: 'plain', stage: 1 })
      const want = run(tensors.x, weights, { variant: 'plain', stage: 1 }).out!.data
      expect(run(tensors.x, weights, { variant: 'plain' }).out!.data).toEqual(want)
    })
  },
})
