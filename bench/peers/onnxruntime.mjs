// onnxruntime-node, its CPU provider, where it is installed (npm run bench:peers does).
import { modelOf } from './onnxruntime/model.mjs'

const contiguous = ({ shape, strides }) => {
  let next = 1
  return (
    strides === undefined ||
    shape.every((_, i) => {
      const axis = shape.length - 1 - i
      const right = shape[axis] === 1 || strides[axis] === next
      next *= shape[axis]
      return right
    })
  )
}

const product = sizes => sizes.reduce((a, b) => a * b, 1)

/** [B, H, L, D] to [B, L, H D], which the attention operator takes, or back. */
function swapHeads(data, [B, H, L, D]) {
  const moved = new Float32Array(data.length)
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let l = 0; l < L; l++) {
        const from = ((b * H + h) * L + l) * D
        moved.set(data.subarray(from, from + D), ((b * L + l) * H + h) * D)
      }
    }
  }
  return moved
}

function convolution({ tensors: { x }, weights: { weight, bias }, params = {} }) {
  const axes = weight.shape.length - 2
  const spread = (value, standard) => {
    const given = value ?? standard
    return Array.isArray(given) ? given : new Array(axes).fill(given)
  }
  const strides = spread(params.stride, 1)
  const pads = spread(params.padding, 0)
  const dilations = spread(params.dilation, 1)
  const sizes = strides.map((stride, i) => {
    const reach = dilations[i] * (weight.shape[i + 2] - 1) + 1
    return Math.floor((x.shape[i + 2] + 2 * pads[i] - reach) / stride) + 1
  })
  return {
    node: {
      type: 'Conv',
      names: ['x', 'weight', ...(bias ? ['bias'] : [])],
      attributes: { strides, pads: [...pads, ...pads], dilations, group: params.groups ?? 1 },
    },
    inputs: { x },
    constants: bias ? { weight, bias } : { weight },
    shape: [x.shape[0], weight.shape[0], ...sizes],
  }
}

/**
 * How each operation is said in ONNX: `{ node, inputs, constants, shape, read }`, where `read` turns the
 * output's data into fovea's layout. Undefined where it cannot be said.
 */
const operations = {
  scaledDotProductAttention({ tensors: { query, key, value, bias, ...more }, params = {} }) {
    const { causal = false, ...others } = params
    const [B, H, L, D] = query.shape
    const [, Hkv, Lk] = key.shape
    if (Object.keys({ ...more, ...others }).length > 0 || Hkv !== H || (causal && L !== Lk)) return
    const merged = ({ data, shape }) => ({
      data: swapHeads(data, shape),
      shape: [shape[0], shape[2], shape[1] * shape[3]],
    })
    const inputs = { query: merged(query), key: merged(key), value: merged(value) }
    const names = ['query', 'key', 'value']
    if (bias !== undefined) {
      inputs.bias = { data: bias.data, shape: [1, 1, L, Lk] }
      names.push('', '', 'bias')
    }
    return {
      node: {
        type: 'MultiHeadAttention',
        domain: 'com.microsoft',
        names,
        attributes: { num_heads: H, unidirectional: causal ? 1 : 0 },
      },
      inputs,
      shape: [B, L, H * D],
      read: data => swapHeads(data, [B, L, H, D]),
    }
  },
  linear({ tensors: { x }, weights: { weight, bias } }) {
    if (x.shape.length !== 2) return
    return {
      node: {
        type: 'Gemm',
        attributes: { transB: 1 },
        names: ['x', 'weight', ...(bias ? ['bias'] : [])],
      },
      inputs: { x },
      constants: bias ? { weight, bias } : { weight },
      shape: [x.shape[0], weight.shape[0]],
    }
  },
  softmax: ({ tensors: { x } }) => ({
    node: { type: 'Softmax', names: ['x'], attributes: { axis: -1 } },
    inputs: { x },
    shape: x.shape,
  }),
  layerNorm: ({ tensors: { x }, weights, params: { eps = 1e-5 } = {} }) =>
    weights && {
      node: {
        type: 'LayerNormalization',
        names: ['x', 'weight', 'bias'],
        attributes: { axis: -1, epsilon: eps },
      },
      inputs: { x },
      constants: weights,
      shape: x.shape,
    },
  gelu: ({ tensors: { x } }) => ({
    node: { type: 'Gelu', names: ['x'] },
    inputs: { x },
    shape: x.shape,
  }),
  conv2d: convolution,
  conv3d: convolution,
  globalAveragePool: ({ tensors: { x } }) => ({
    node: { type: 'GlobalAveragePool', names: ['x'] },
    inputs: { x },
    shape: [...x.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)],
  }),
}

export async function open() {
  let ort
  try {
    ort = await import('onnxruntime-node')
  } catch {
    return []
  }
  const { InferenceSession, Tensor, env } = ort.default ?? ort
  const peer = {
    name: 'onnxruntime',
    version: env.versions.node,
    async prepare(op, inputs, threads) {
      const all = [...Object.values(inputs.tensors), ...Object.values(inputs.weights ?? {})]
      const said = all.every(contiguous) ? operations[op]?.(inputs) : undefined
      if (said === undefined) return undefined
      const shapes = Object.fromEntries(
        Object.entries(said.inputs).map(([name, { shape }]) => [name, shape]),
      )
      const model = modelOf(said.node, shapes, said.constants ?? {}, said.shape)
      const session = await InferenceSession.create(model, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      })
      const feeds = Object.fromEntries(
        Object.entries(said.inputs).map(([name, { data, shape }]) => [
          name,
          new Tensor('float32', data, shape),
        ]),
      )
      const out = new Tensor('float32', new Float32Array(product(said.shape)), said.shape)
      return {
        async run(times) {
          for (let i = 0; i < times; i++) await session.run(feeds, { out })
        },
        async output() {
          await this.run(1)
          return said.read?.(out.data) ?? out.data
        },
      }
    },
    close() {},
  }
  return [peer]
}
