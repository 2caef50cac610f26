// What the tests of gates over feature maps share: layers, weights whose logits are zero, permuted
// channels, outputs that lie on x.
import { expect } from 'vitest'
import type { Reference } from '../../reference/reference.ts'
import { expectSameBits } from '../../support/compare.ts'
import { call } from '../../support/engine.ts'
import type { Random } from '../../support/random.ts'
import { type Dense, float32, type Inputs, sizeOf } from '../../support/tensors.ts'

type Tensors = Record<string, Dense>

/** A layer of that name, scaled so that outputs stay of magnitude one. */
export function layer(
  random: Random,
  name: string,
  shape: readonly number[],
  bias: boolean,
): Tensors {
  const inputs = sizeOf(shape.slice(1))
  return {
    [`${name}.weight`]: random.tensor(shape, 1 / Math.sqrt(inputs)),
    ...(bias ? { [`${name}.bias`]: random.tensor(shape.slice(0, 1), 0.5) } : {}),
  }
}

/** The same weights, those that `pick` names zero: logits are then zero too. */
export const zeroed = (inputs: Inputs, pick: (name: string) => boolean): Inputs => ({
  ...inputs,
  weights: Object.fromEntries(
    Object.entries(inputs.weights).map(([name, tensor]) => [
      name,
      pick(name) ? float32(tensor.shape) : tensor,
    ]),
  ),
})

/** Elements of one axis in another order. */
export function reordered({ data, shape }: Dense, axis: number, order: readonly number[]): Dense {
  const inner = sizeOf(shape.slice(axis + 1))
  const n = shape[axis]!
  return float32(shape, at => {
    const [outer, i, rest] = [Math.floor(at / (inner * n)), Math.floor(at / inner) % n, at % inner]
    return data[(outer * n + order[i]!) * inner + rest]!
  })
}

/** x scaled by a number that is the same everywhere, exactly where it is a power of 2. */
export function expectScaled(reference: Reference, inputs: Inputs, factor: number): void {
  const x = inputs.tensors.x!
  expectSameBits(
    call(reference, inputs).out!,
    float32(x.shape, n => factor * x.data[n]!),
  )
}

/** The output may take the place of x. */
export function expectInPlace(reference: Reference, inputs: Inputs): void {
  const want = call(reference, inputs).out!
  const x = { ...inputs.tensors.x!, data: Float32Array.from(inputs.tensors.x!.data) }
  const tensors = { ...inputs.tensors, x }
  const { out } = call(reference, { ...inputs, tensors }, { options: { into: { out: x } } })
  expect(out).toBe(x)
  expectSameBits(x, want)
}
