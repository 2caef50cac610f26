import type { Tensor } from '../../core/tensors/tensor.ts'
import { contiguousStrides } from '../../io/strides.ts'

/** Makes the tensors of a workload: the same numbers in every run. */
export interface Random {
  /** Uniform in [-scale, scale), scale 1 where left out. */
  tensor(shape: readonly number[], scale?: number): Tensor<Float32Array, 'float32'>
  /**
   * A weight [out, in...], uniform within 1 / sqrt(in), as PyTorch initialises one: scores of attention
   * are then of the size that they have in practice.
   */
  layer(shape: readonly number[]): Tensor<Float32Array, 'float32'>
}

export function random(seed: number): Random {
  let state = seed >>> 0
  const tensor: Random['tensor'] = (shape, scale = 1) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      data[i] = (state / 2 ** 31 - 1) * scale
    }
    return { data, shape, strides: contiguousStrides(shape), offset: 0, dtype: 'float32' }
  }
  return {
    tensor,
    layer: shape =>
      tensor(shape, shape.slice(1).reduce((product, size) => product * size, 1) ** -0.5),
  }
}
