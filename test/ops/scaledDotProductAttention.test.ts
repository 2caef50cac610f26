import { describe, expect, test } from 'vitest'
import { scaledDotProductAttention as reference } from '../reference/scaledDotProductAttention.ts'
import { expectClose, expectSameBits } from '../support/compare.ts'
import { describeOperation } from '../support/describeOperation.ts'
import { call, isas, type Results, useIsa } from '../support/engine.ts'
import { Random } from '../support/random.ts'
import { type Dense, float32, type Inputs, int32, sliceAxis, uint8 } from '../support/tensors.ts'
import { broadcastShape, heads, plain, sizes, withParams } from './shared/attentionInputs.ts'
import { describeHalves } from './shared/halves.ts'
import { cumulative, lengths, sum, testSegments, wrongRagged } from './shared/ragged.ts'

/** Every option of the operation, each there or not by a coin. */
function anything(random: Random): Inputs {
  const s = sizes(random)
  const tensors = heads(random, s)
  const params: Record<string, unknown> = { align: random.choose(['topLeft', 'bottomRight']) }
  const maybe = (add: () => void): void => {
    if (random.boolean(0.35)) add()
  }
  maybe(() => {
    tensors.mask = random.mask(broadcastShape(random, s), random.choose([0.1, 0.6, 0.95]))
  })
  maybe(() => {
    const shape = broadcastShape(random, s)
    tensors.bias = float32(shape, () =>
      random.boolean(0.1) ? Number.NEGATIVE_INFINITY : 2 * random.normal(),
    )
  })
  maybe(() => {
    tensors.alibiSlopes = float32([s.H], () => random.choose([2 ** -random.integer(1, 8), -0.1, 0]))
  })
  maybe(() => {
    tensors.sinks = random.tensor([s.H], 2)
  })
  maybe(() => {
    tensors.keyLengths = random.integers([s.B], 0, s.Lk)
  })
  maybe(() => {
    tensors.queryOffsets = random.integers([s.B], -s.Lk - 5, s.Lk + 5)
  })
  maybe(() => {
    params.causal = true
  })
  maybe(() => {
    params.windowLeft = random.integer(0, 40)
  })
  maybe(() => {
    params.windowRight = random.integer(0, 40)
  })
  maybe(() => {
    params.softcap = random.choose([0.5, 3, 30])
  })
  maybe(() => {
    params.scale = random.choose([0, 1, -0.3, 0.05])
  })
  return { tensors, weights: {}, params }
}

/** Problems of these lengths, or of any, side by side in one batch entry. */
function ragged(
  random: Random,
  queries = lengths(random),
  keys = lengths(random, queries.length),
  params: object = {},
): Inputs {
  const inputs = plain(random, { B: 1, Lq: sum(queries), Lk: sum(keys) })
  return withParams(
    inputs,
    { align: random.choose(['topLeft', 'bottomRight']), ...params },
    { queryCumulativeLengths: cumulative(queries), keyCumulativeLengths: cumulative(keys) },
  )
}

describeOperation({
  reference,
  cases: {
    plain: random => plain(random),
    ragged: random => ragged(random),
    'ragged and causal': random =>
      ragged(random, undefined, undefined, { causal: true, windowLeft: random.integer(-1, 30) }),
    'ragged, nothing': random => ragged(random, [], []),
    anything,
    'anything else': anything,
    'anything once more': anything,
    'one query over many keys': random => plain(random, { Lq: 1, Lk: 701 }),
    'many queries over one key': random => plain(random, { Lq: 301, Lk: 1 }),
    'one query head a key head, large heads': random => plain(random, { D: 257, Dv: 131, Lk: 90 }),
    'eight query heads a key head': random => plain(random, { H: 8, Hkv: 1, Lq: 5 }),
    'causal over several blocks': random =>
      withParams(plain(random, { B: 1, H: 1, Hkv: 1, Lq: 257, Lk: 419 }), {
        causal: true,
        align: random.choose(['topLeft', 'bottomRight']),
      }),
    'a window over several blocks': random =>
      withParams(plain(random, { B: 1, H: 1, Hkv: 1, Lq: 301, Lk: 301 }), {
        windowLeft: random.integer(0, 90),
        windowRight: random.integer(0, 90),
      }),
    'ALiBi over several blocks, near keys hidden': random => {
      const mask = uint8([60, 400], n => n % 400 < 30)
      const inputs = plain(random, { B: 1, H: 2, Hkv: 2, Lq: 60, Lk: 400 })
      const alibiSlopes = float32([2], h => 0.15 + h / 20)
      return withParams(inputs, { align: 'bottomRight' }, { alibiSlopes, mask })
    },
    'scores far apart': random => {
      const s = sizes(random, { Lk: 300 })
      const tensors = { ...heads(random, s), query: random.tensor([s.B, s.H, s.Lq, s.D], 12) }
      return { tensors, weights: {}, params: {} }
    },
    'nothing to see': random => plain(random, { Lk: 0 }),
    'nobody to ask': random => plain(random, { Lq: 0 }),
    'no values': random => plain(random, { Dv: 0 }),
    'no batch': random => plain(random, { B: 0 }),
  },
  sizes: (n, random) =>
    plain(random, {
      B: 1,
      H: 2,
      Hkv: 1,
      D: n,
      Lq: ((n * 5) % 33) + 1,
      Lk: ((n * 7) % 33) + 1,
      Dv: ((n * 10) % 33) + 1,
    }),
  large: {
    'many heads': random => plain(random, { B: 2, H: 6, Hkv: 6, Lq: 197, Lk: 197, D: 64, Dv: 64 }),
    'long and causal': random =>
      withParams(plain(random, { B: 1, H: 2, Hkv: 1, Lq: 512, Lk: 512, D: 64, Dv: 64 }), {
        causal: true,
      }),
    decoding: random => plain(random, { B: 1, H: 16, Hkv: 2, Lq: 1, Lk: 8191, D: 64, Dv: 64 }),
    'more keys than queries': random =>
      plain(random, { B: 1, H: 1, Hkv: 1, Lq: 40, Lk: 6000, D: 48, Dv: 32 }),
  },
  seeds: { best: 8, others: 3 },
  structure: ['queryCumulativeLengths', 'keyCumulativeLengths'],
  poison: ['query', 'key', 'value', 'bias'],
  // Scores as far apart as these lose absolute accuracy with their size, as any float32 product does.
  tolerance: (_, { tensors }) => {
    let largest = 1
    for (const v of tensors.query!.data) largest = Math.max(largest, Math.abs(v))
    return { rtol: 2e-5, atol: 1e-6 * Math.max(4, largest) }
  },
  wrong: {
    'keys of another batch': ({ tensors }) => ({
      tensors: { key: float32([7, 1, 1, tensors.query!.shape[3]!]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'key',
    }),
    'keys of another size': ({ tensors }) => ({
      tensors: { key: float32(tensors.key!.shape.map((n, axis) => (axis === 3 ? n + 1 : n))) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'key',
    }),
    'fewer values than keys': ({ tensors }) => ({
      tensors: { value: sliceAxis(tensors.value!, 2, 1, tensors.value!.shape[2]!) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'value',
    }),
    'heads that do not divide': ({ tensors }) => {
      const [B, H, , D] = tensors.query!.shape as [number, number, number, number]
      return {
        tensors: { key: float32([B, H + 1, 1, D]), value: float32([B, H + 1, 1, D]) },
        code: 'ERR_FOVEA_SHAPE',
        argument: 'key',
      }
    },
    'rank 3': ({ tensors }) => ({
      tensors: { query: float32(tensors.query!.shape.slice(1)) },
      code: 'ERR_FOVEA_RANK',
      argument: 'query',
    }),
    'a mask of rank 3': {
      tensors: { mask: uint8([1, 1, 1], () => true) },
      code: 'ERR_FOVEA_RANK',
      argument: 'mask',
    },
    'a mask of floats': {
      tensors: { mask: float32([1, 1]) },
      code: 'ERR_FOVEA_TYPE',
      argument: 'mask',
    },
    'a bias that does not broadcast': ({ tensors }) => ({
      tensors: { bias: float32([tensors.query!.shape[2]! + 1, 1]) },
      code: 'ERR_FOVEA_SHAPE',
      argument: 'bias',
    }),
    'a length past the keys': ({ tensors }) => ({
      tensors: {
        keyLengths: int32(Array(tensors.key!.shape[0]!).fill(tensors.key!.shape[2]! + 1)),
      },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'keyLengths',
    }),
    'a negative length': ({ tensors }) => ({
      tensors: { keyLengths: int32(Array(tensors.key!.shape[0]!).fill(-1)) },
      code: 'ERR_FOVEA_BOUNDS',
      argument: 'keyLengths',
    }),
    'a NaN scale': { params: { scale: Number.NaN }, code: 'ERR_FOVEA_OPTION', argument: 'scale' },
    'a negative softcap': {
      params: { softcap: -1 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'softcap',
    },
    'half a window': {
      params: { windowLeft: 1.5 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'windowLeft',
    },
    'a window below -1': {
      params: { windowRight: -2 },
      code: 'ERR_FOVEA_OPTION',
      argument: 'windowRight',
    },
    ...wrongRagged,
    'another alignment': {
      params: { align: 'left' },
      code: 'ERR_FOVEA_OPTION',
      argument: 'align',
    },
    'causal by name': { params: { causal: 'yes' }, code: 'ERR_FOVEA_TYPE', argument: 'causal' },
  },
  properties: () => {
    const random = new Random('segments')
    testSegments(reference, 'queryCumulativeLengths', 'keyCumulativeLengths', {
      'of every kind': ragged(random, [70, 1, 0, 8, 9, 30], [33, 200, 5, 0, 40, 30]),
      'causal, over many keys': ragged(random, [3, 60], [4500, 90], { causal: true }),
      'decoded, one long': ragged(random, [1, 1, 1, 1, 1], [2500, 3, 17, 90, 2048]),
    })
    describeHalves(reference, {
      'odd sizes': plain(random, { Lq: 53, Lk: 150, D: 37, Dv: 21 }),
      'many panels, causal': withParams(plain(random, { B: 1, H: 2, Hkv: 1, Lq: 220, Lk: 220 }), {
        causal: true,
      }),
      decoding: plain(random, { B: 1, H: 4, Hkv: 1, Lq: 2, Lk: 2100, D: 33 }),
      masked: withParams(
        plain(random, { Lq: 3, Lk: 301 }),
        {},
        { mask: random.mask([3, 301], 0.3) },
      ),
    })
    describe.each(isas)('%s', isa => {
      const run = (inputs: Inputs): Required<Pick<Results, 'out' | 'lse'>> => {
        useIsa(isa)
        return call(reference, inputs, { options: { outputs: ['lse'] } }) as never
      }

      test('weights sum to one: constant values come out as they are', () => {
        const inputs = anything(new Random('constant'))
        const { sinks: _, ...tensors } = inputs.tensors
        const value = float32(tensors.value!.shape, 0.75)
        const { out, lse } = run({ ...inputs, tensors: { ...tensors, value } })
        const Dv = value.shape[3]!
        const want = float32(out!.shape, n => {
          const sum = lse!.data[Math.floor(n / Dv)]
          return sum === Number.NEGATIVE_INFINITY ? 0 : 0.75
        })
        expectClose(out!, want, { rtol: 0, atol: 5e-6 })
      })

      test('keys in any order: the same result to rounding', () => {
        const inputs = plain(new Random('order'), { Lk: 77 })
        const reversed = Object.entries(inputs.tensors).map(([name, tensor]) => {
          if (name === 'query') return [name, tensor] as const
          const [B, H, L, D] = tensor.shape as [number, number, number, number]
          const data = new Float32Array(tensor.data.length)
          for (let n = 0; n < B * H * L; n++) {
            const from = (n - (n % L) + (L - 1 - (n % L))) * D
            data.set(tensor.data.subarray(from, from + D), n * D)
          }
          return [name, { data, shape: tensor.shape }] as const
        })
        const { out } = run(inputs)
        const turned = run({ ...inputs, tensors: Object.fromEntries(reversed) })
        expectClose(turned.out!, { data: out!.data, shape: out!.shape }, { rtol: 2e-5, atol: 4e-6 })
      })

      test('two halves of the keys join through lse', () => {
        const random = new Random('halves')
        const inputs = withParams(plain(random, { Lk: 150 }), {}, {})
        const { query, key, value } = inputs.tensors as Record<string, Dense>
        const parts = [
          [0, 61],
          [61, 150],
        ].map(([from, to]) =>
          run({
            ...inputs,
            tensors: {
              query: query!,
              key: sliceAxis(key!, 2, from!, to!),
              value: sliceAxis(value!, 2, from!, to!),
            },
          }),
        )
        const whole = run(inputs)
        const Dv = value!.shape[3]!
        const joined = float32(whole.out!.shape, n => {
          const row = Math.floor(n / Dv)
          return parts.reduce(
            (sum, { out, lse }) =>
              sum + Math.exp(lse!.data[row]! - whole.lse!.data[row]!) * out!.data[n]!,
            0,
          )
        })
        expectClose(whole.out!, joined, { rtol: 0, atol: 5e-6 })
      })

      test('dead rows: zeros and -inf, or the sink', () => {
        const inputs = plain(new Random('dead'), { B: 1, H: 2, Hkv: 1, Lq: 9, Lk: 7, Dv: 5 })
        const mask = uint8([9, 1], n => n % 2 === 0)
        const masked = withParams(inputs, {}, { mask })
        const { out, lse } = run(masked)
        const sunk = run(withParams(masked, {}, { sinks: float32([2], h => h - 3) }))
        for (let row = 0; row < 18; row++) {
          const dead = (row % 9) % 2 === 1
          expect(lse!.data[row] === Number.NEGATIVE_INFINITY).toBe(dead)
          if (!dead) continue
          expect(Array.from(out!.data.subarray(row * 5, row * 5 + 5))).toEqual([0, 0, 0, 0, 0])
          expect(Array.from(sunk.out!.data.subarray(row * 5, row * 5 + 5))).toEqual([0, 0, 0, 0, 0])
          expect(sunk.lse!.data[row]).toBe(row < 9 ? -3 : -2)
        }
      })

      test('a finite bias never hides a key, however low', () => {
        const inputs = plain(new Random('low'), { B: 1, H: 1, Hkv: 1, Lq: 3, Lk: 40, Dv: 3 })
        const low = withParams(inputs, {}, { bias: float32([1, 1], -1e30) })
        const { out } = run(low)
        expectClose(out!, reference.compute(low).out!, { rtol: 2e-5, atol: 4e-6 })
      })

      test('heads that share a bias have the bits of heads with copies of it', () => {
        const random = new Random('shared')
        const inputs = plain(random, { B: 2, H: 6, Hkv: 6, Lq: 110, Lk: 300 })
        const bias = float32([110, 300], n => (n % 7 === 3 ? -Infinity : random.normal()))
        const copies = float32([1, 6, 110, 300], n => bias.data[n % bias.data.length]!)
        const one = run(withParams(inputs, { align: 'topLeft' }, { bias }))
        const many = run(withParams(inputs, { align: 'topLeft' }, { bias: copies }))
        for (const name of ['out', 'lse'] as const) expectSameBits(one[name]!, many[name]!)
      })

      test('padding does not exist: NaN beyond the key lengths changes no bit', () => {
        const random = new Random('padding')
        const inputs = withParams(
          plain(random, { B: 3, Lk: 130 }),
          {},
          {
            keyLengths: int32([130, 0, 57]),
          },
        )
        const spoilt = structuredClone(inputs) as Inputs
        for (const name of ['key', 'value']) {
          const { data, shape } = spoilt.tensors[name]!
          const [, H, L, D] = shape as [number, number, number, number]
          data.fill(Number.NaN, H * L * D, 2 * H * L * D)
          for (let h = 0; h < H; h++) {
            data.fill(Number.POSITIVE_INFINITY, ((2 * H + h) * L + 57) * D, (2 * H + h + 1) * L * D)
          }
        }
        const [clean, dirty] = [run(inputs), run(spoilt)]
        expectSameBits(dirty.out!, clean.out!, 'out')
        expectSameBits(dirty.lse!, clean.lse!, 'lse')
      })

      test('a mask of ones and a bias of zeros change no bit', () => {
        const inputs = plain(new Random('ones'), { B: 1, H: 2, Hkv: 1, Lq: 61, Lk: 150 })
        const { out } = run(inputs)
        for (const more of [
          { mask: uint8([61, 150], () => true) },
          { bias: float32([61, 150], 0) },
        ])
          expectSameBits(run(withParams(inputs, {}, more)).out!, out!, 'out')
      })

      test('what a mask hides, key and value, and what it tells other queries changes no bit', () => {
        const random = new Random('hidden')
        const inputs = plain(random, { B: 1, H: 1, Hkv: 1, Lq: 61, Lk: 150, D: 9, Dv: 5 })
        // Every third key and a stretch longer than a register tile.
        const hidden = (j: number): boolean => j % 3 === 1 || (j >= 32 && j < 64)
        const mask = uint8([61, 150], n => !hidden(n % 150) && random.boolean(0.8))
        const clean = run(withParams(inputs, {}, { mask }))
        const spoilt = structuredClone(withParams(inputs, {}, { mask })) as Inputs
        for (const name of ['key', 'value']) {
          const { data, shape } = spoilt.tensors[name]!
          const D = shape[3]!
          for (let n = 0; n < data.length; n++) if (hidden(Math.floor(n / D))) data[n] = Number.NaN
        }
        spoilt.tensors.mask!.data.fill(1, 0, 1) // the first query alone sees its first key
        const dirty = run(spoilt)
        dirty.out!.data.set(clean.out!.data.subarray(0, 5))
        expectSameBits(dirty.out!, clean.out!, 'out')
      })

      test('subnormal numbers in JavaScript survive a call', () => {
        run(plain(new Random('subnormal')))
        expect(5e-324 * 1.5).not.toBe(0)
      })
    })
  },
})
