import type { Workload } from '../workload.ts'

const [B, N, C, heads] = [8, 196, 384, 8]
const M = 4 * C

export const workloads: readonly Workload[] = [
  {
    name: `${B}x(1+${N})x${C}, ${heads} heads, prepared`,
    make: random => {
      const vector = (): ReturnType<typeof random.tensor> => random.tensor([C])
      const square = (): ReturnType<typeof random.tensor> => random.tensor([C, C])
      return {
        tensors: { x: random.tensor([B, N, C]), xCls: random.tensor([B, 1, C]) },
        weights: {
          gamma_1: vector(),
          gamma_2: vector(),
          'norm1.weight': vector(),
          'norm1.bias': vector(),
          'attn.q.weight': square(),
          'attn.k.weight': square(),
          'attn.v.weight': square(),
          'attn.proj.weight': square(),
          'attn.proj.bias': vector(),
          'norm2.weight': vector(),
          'norm2.bias': vector(),
          'mlp.fc1.weight': random.tensor([M, C]),
          'mlp.fc1.bias': random.tensor([M]),
          'mlp.fc2.weight': random.tensor([C, M]),
          'mlp.fc2.bias': vector(),
        },
        params: { heads },
        prepared: true,
      }
    },
    limit: 'fma',
    work: B * (8 * C * C + 4 * C * M + 4 * (1 + N) * heads * C),
  },
]
