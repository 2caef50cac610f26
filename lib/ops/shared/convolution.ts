// What operations that slide a window over a map share: parameters per axis, and the sizes they lead to.
import type { Context } from '../../core/declaration/context.ts'
import {
  dynamic,
  type IntegerParam,
  integer,
  type ListParam,
  list,
} from '../../core/declaration/params.ts'

/** Larger steps and margins than a map can have: sizes computed from them stay exact. */
export const largestStep = 2 ** 31 - 1

/** One whole number an axis; a single one stands for all. */
export const perAxis = (
  axes: number,
  min: number,
  options: Pick<ListParam, 'default'> = {},
): ListParam => list(integer({ min, max: largestStep }), { length: axes, ...options })

/** The stride, padding and dilation of a convolution over so many axes. */
export const convolutionParams = (
  axes: number,
): { stride: ListParam; padding: ListParam; dilation: ListParam; groups: IntegerParam } => ({
  stride: perAxis(axes, 1, { default: 1 }),
  padding: perAxis(axes, 0, { default: 0 }),
  dilation: perAxis(axes, 1, { default: 1 }),
  groups: integer({ default: 1, min: 1, implied: dynamic('x and weights.weight tell', groupsOf) }),
})

/** The groups that make the channels of x those of the weight, where there are such. */
function groupsOf(c: Context): number | undefined {
  const channels = c.shape('x')?.[1]
  const perGroup = c.shape('weights.weight')?.[1]
  if (channels === undefined || perGroup === undefined || perGroup === 0) return undefined
  return channels % perGroup === 0 ? channels / perGroup : undefined
}

/** Input channels that each output channel reads. */
export function channelsOfGroup(c: Context): number {
  const channels = c.dim('Cin')
  const groups = c.number('groups')
  if (channels % groups > 0)
    c.fail('groups', 'ERR_FOVEA_OPTION', `divide the ${channels} channels of x`, groups)
  return channels / groups
}

/** How many windows that reach over `reach` elements fit, `stride` apart. */
export const windowsOf = (n: number, reach: number, stride: number, padding: number): number =>
  Math.floor((n + 2 * padding - reach) / stride) + 1

/** The output sizes of a convolution: of axis `name` from its size and that of the kernel, `kname`. */
export function convolvedSizes(axes: readonly string[]): Record<string, (c: Context) => number> {
  return Object.fromEntries(
    axes.map((axis, n) => [
      `out${axis}`,
      (c: Context) => {
        const size = c.dim(axis)
        const reach = c.list('dilation')[n]! * (c.dim(`k${axis}`) - 1) + 1
        const padding = c.list('padding')[n]!
        if (size + 2 * padding < reach) {
          const rule = `be at least ${reach - 2 * padding} along ${axis}, the reach of the kernel less the padding`
          c.fail('x', 'ERR_FOVEA_SHAPE', rule, size)
        }
        return windowsOf(size, reach, c.list('stride')[n]!, padding)
      },
    ]),
  )
}

/** Refuses groups that divide the channels unevenly. */
export function checkGroups(c: Context): void {
  const groups = c.number('groups')
  const [outputs = 0] = c.shape('weights.weight') ?? []
  if (outputs % groups === 0) return
  c.fail('groups', 'ERR_FOVEA_OPTION', `divide the ${outputs} output channels`, groups)
}
