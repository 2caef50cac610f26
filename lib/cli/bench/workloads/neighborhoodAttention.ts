import type { Workload } from '../workload.ts'

const [H, D] = [4, 32]

/** Square maps and kernels: every query sees kernelSize^2 keys, at the borders too. */
function square(
  B: number,
  side: number,
  kernelSize: number,
  params: object = {},
  note = '',
): Workload {
  const shape = [B, side, side, H, D]
  return {
    name: `${B}x${side}x${side}x${H}x${D}, kernel ${kernelSize}${note}`,
    make: random => ({
      tensors: {
        query: random.tensor(shape),
        key: random.tensor(shape),
        value: random.tensor(shape),
      },
      params: { kernelSize: [kernelSize, kernelSize], ...params },
    }),
    limit: 'fma',
    work: 4 * D * B * H * side ** 2 * kernelSize ** 2,
  }
}

const plain = square(4, 56, 7)

export const workloads: readonly Workload[] = [
  { ...plain, goal: 0.25 },
  { ...plain, name: `${plain.name}, 2 threads`, threads: 2, against: plain.name, atMost: 1 / 1.8 },
  square(4, 56, 7, { dilation: 4 }, ', dilation 4'),
  square(4, 14, 7),
  square(1, 56, 13),
]
