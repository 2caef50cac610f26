// What the two halves of relation-aware global attention are held to alike: nodes are positions in one,
// channels in the other, and features the other way round.
import { expect, test } from 'vitest'
import { describeOperation, type OperationSuite } from '../../support/describeOperation.ts'
import { call, isas, operation, useIsa } from '../../support/engine.ts'
import { Random } from '../../support/random.ts'
import { float32, type Inputs } from '../../support/tensors.ts'
import { type Half, type RelationSizes, relationInputs } from './relationInputs.ts'

interface RelationSuite {
  readonly half: Half
  readonly reference: OperationSuite['reference']
  /** The sizes of the cases of {@link describeOperation}. */
  readonly cases: Readonly<Record<string, RelationSizes>>
  readonly large: Readonly<Record<string, RelationSizes>>
  readonly sizes: (n: number) => RelationSizes
  /** A map [C, H W] with its features in the opposite order. */
  readonly backwards: (data: ArrayLike<number>, channels: number, positions: number) => Float32Array
}

export function describeRelationHalf(suite: RelationSuite): void {
  const { half, reference, cases, large, sizes, backwards } = suite
  const other = half === 'spatial' ? 'channel' : 'spatial'
  const misspelled = half.slice(0, -1)
  const embedding = new RegExp(`^(theta|phi|gx)_${half}.0`)
  const related = (random: Random, given?: RelationSizes): Inputs =>
    relationInputs(random, [half], given)
  const generators = (all: Readonly<Record<string, RelationSizes>>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, given]) => [
        name,
        (random: Random) => related(random, given),
      ]),
    )
  describeOperation({
    reference,
    cases: generators(cases),
    sizes: (n, random) => related(random, sizes(n)),
    large: generators(large),
    seeds: { best: 4, others: 1 },
    wrong: {
      'a ratio that leaves no channel': {
        params: { chaRatio: 99 },
        code: 'ERR_FOVEA_OPTION',
        argument: 'chaRatio',
      },
      'a ratio that leaves no position': {
        params: { spaRatio: 999 },
        code: 'ERR_FOVEA_OPTION',
        argument: 'spaRatio',
      },
      'a ratio that leaves no layer between': {
        params: { downRatio: 99 },
        code: 'ERR_FOVEA_OPTION',
        argument: 'downRatio',
      },
      'a map of another size': {
        tensors: { x: float32([1, 2, 99, 3]) },
        code: 'ERR_FOVEA_WEIGHT_SHAPE',
        argument: `weights.theta_${half}.0.weight`,
      },
      'a misspelled weight': {
        weights: {
          [`gx_${half}.0.weight`]: undefined,
          [`gx_${misspelled}.0.weight`]: float32([1]),
        },
        code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
        argument: `weights.gx_${misspelled}.0.weight`,
      },
      'a weight of the other half': {
        weights: { [`theta_${other}.0.weight`]: float32([1]) },
        code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
        argument: `weights.theta_${other}.0.weight`,
      },
      'a bias that the layers do not have': {
        weights: { [`gg_${half}.0.bias`]: float32([1]) },
        code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
        argument: `weights.gg_${half}.0.bias`,
      },
      'no norm': {
        weights: { [`W_${half}.4.running_var`]: undefined },
        code: 'ERR_FOVEA_WEIGHT_MISSING',
        argument: `weights.W_${half}.4.running_var`,
      },
    },
    properties() {
      test.each(isas)('logits of zero halve x, which may be overwritten, %s', isa => {
        useIsa(isa)
        const inputs = related(new Random('zero'))
        const { x } = inputs.tensors
        const halved = x!.data.map(v => v / 2)
        const last = `W_${half}.4`
        const weights = {
          ...inputs.weights,
          [`${last}.weight`]: float32([1]),
          [`${last}.bias`]: float32([1]),
        }
        const { out } = operation(reference.op)(x, weights, {
          ...inputs.params,
          into: { out: x },
        })
        expect(out!.data).toEqual(halved)
      })

      test.each(isas)('features in another order change nothing else, %s', isa => {
        useIsa(isa)
        const inputs = related(new Random('order'), { B: 1 })
        const { x } = inputs.tensors
        const [, C, H, W] = x!.shape as [number, number, number, number]
        const turn = (data: ArrayLike<number>): Float32Array => backwards(data, C, H * W)
        const turned = { data: turn(x!.data), shape: x!.shape }
        const weights = Object.fromEntries(
          Object.entries(inputs.weights).map(([name, weight]) => {
            if (!embedding.test(name)) return [name, weight]
            const ins = weight.shape[1]!
            const data = Float32Array.from(weight.data, (_, n) => {
              const o = Math.floor(n / ins)
              return weight.data[o * ins + ins - 1 - (n % ins)]!
            })
            return [name, { data, shape: weight.shape }]
          }),
        )
        const got = call(reference, { ...inputs, tensors: { x: turned }, weights }).out!
        const want = turn(call(reference, inputs).out!.data)
        for (const [n, value] of want.entries()) expect(got.data[n]).toBeCloseTo(value, 4)
      })
    },
  })
}
