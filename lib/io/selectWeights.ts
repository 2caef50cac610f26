import { fail } from '../core/errors.ts'

/**
 * The tensors whose names start with `prefix`, under their names without it: one module's weights out
 * of a whole model's. Nothing is copied.
 *
 * @param tensors What {@link readSafetensors} returned, or any other record.
 * @param prefix With its dot, if it has one: `'layer.0.attention.'`. The empty prefix keeps all.
 * @throws TypeError `ERR_FOVEA_TYPE` where `tensors` is no object or `prefix` no string.
 * @example
 * ```ts
 * import { selectWeights, tensor } from 'fovea'
 * const tensors = { 'norm.weight': tensor(new Float32Array(4), [4]), step: tensor(new Int32Array(1), []) }
 * console.log(Object.keys(selectWeights(tensors, 'norm.'))) // => [ 'weight' ]
 * ```
 */
export function selectWeights<T>(
  tensors: Readonly<Record<string, T>>,
  prefix: string,
): Record<string, T> {
  if (typeof tensors !== 'object' || tensors === null) {
    fail('selectWeights', 'tensors', 'ERR_FOVEA_TYPE', 'be an object of tensors', tensors)
  }
  if (typeof prefix !== 'string') {
    fail('selectWeights', 'prefix', 'ERR_FOVEA_TYPE', 'be a string', prefix)
  }
  // fromEntries defines properties where assignment would take a name such as __proto__ for a setter.
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  )
}
