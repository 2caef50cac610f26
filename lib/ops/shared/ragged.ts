import type { Context } from '../../core/declaration/context.ts'

/** Lengths of the segments of a ragged batch, from where each begins and the last one ends. */
export const lengthsOf = (ends: Int32Array): number[] =>
  Array.from(ends.subarray(1), (end, s) => end - ends[s]!)

/**
 * Refuses a ragged batch whose cumulative lengths do not run from 0 to `total` without falling, one
 * with other batch entries beside it, and `beside`: optional tensors that have no meaning there.
 */
export function checkRagged(
  c: Context,
  name: string,
  total: number,
  beside: readonly string[],
): void {
  if (c.dim('B') !== 1)
    c.fail('query', 'ERR_FOVEA_SHAPE', `have one batch entry where ${name} is given`, c.dim('B'))
  for (const other of beside)
    if (c.has(other)) c.fail(other, 'ERR_FOVEA_OPTION', `be absent where ${name} is given`, 'both')
  const ends = c.ints(name)
  if (ends[0] !== 0) c.fail(name, 'ERR_FOVEA_BOUNDS', 'start at 0', ends[0])
  for (let s = 1; s < ends.length; s++)
    if (ends[s]! < ends[s - 1]!)
      c.fail(name, 'ERR_FOVEA_BOUNDS', 'not decrease', `${ends[s - 1]}, ${ends[s]}`)
  const last = ends[ends.length - 1]
  if (last !== total) c.fail(name, 'ERR_FOVEA_BOUNDS', `end at ${total}`, last)
}
