// The largest value of each window, as torch.nn.functional.max_pool2d.
import { maxPooled } from './featureMap.ts'
import type { Reference } from './reference.ts'

type Pair = number | readonly [number, number]

const pair = (value: Pair): readonly number[] =>
  typeof value === 'number' ? [value, value] : value

export const maxPool2d: Reference = {
  op: 'maxPool2d',
  required: ['x'],
  takesWeights: false,
  always: ['out'],
  isBatched: () => true,
  compute({ tensors, params }) {
    const {
      kernel,
      stride = kernel,
      padding = 0,
    } = params as unknown as Record<'kernel' | 'stride' | 'padding', Pair>
    return { out: maxPooled(tensors.x!, pair(kernel), pair(stride), pair(padding)) }
  },
}
