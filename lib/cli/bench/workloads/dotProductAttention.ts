import type { Workload } from '../workload.ts'

const [B, L, D] = [4, 512, 256]

function aligned(name: string, params: object, weights: object, keys: number): Workload {
  return {
    name: `${B}x${L}x${L}x${D}, ${name}`,
    make: random => ({
      tensors: {
        query: random.tensor([B, L, D]),
        key: random.tensor([B, L, D]),
        value: random.tensor([B, L, D]),
      },
      weights: Object.fromEntries(
        Object.entries(weights).map(([weight, shape]) => [
          weight,
          random.tensor(shape as number[], D ** -0.5),
        ]),
      ),
      params: { ...params },
      prepared: Object.keys(weights).length > 0,
    }),
    limit: 'fma',
    work: 4 * B * L * keys * D + ('W' in weights ? 2 * B * L * D * D : 0),
  }
}

export const workloads: readonly Workload[] = [
  aligned('general', { score: 'general' }, { W: [D, D] }, L),
  aligned(
    'dot, 10 keys either side',
    { score: 'dot', local: 'monotonic', localWindow: 10 },
    {},
    21,
  ),
  aligned(
    'dot, 10 keys around a predicted centre',
    { score: 'dot', local: 'predictive', localWindow: 10 },
    { Wp: [D, D], vp: [D] },
    21,
  ),
]
