// A call that has not the form of its operation is answered with an error, never run: here a golden case of every
// operation with slots absent, of other types and ranks, and without parameters.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { type NativeArray, native } from '../../lib/core/addon.ts'
import { callByName, definitions } from '../../lib/core/operation.ts'
import '../../lib/index.ts'
import { readSafetensors } from '../../lib/index.ts'

interface Slot {
  readonly kind: number
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly data: NativeArray | undefined
}
interface Raw {
  readonly form: number
  readonly params: readonly number[]
  readonly slots: readonly Slot[]
}

const golden = join(import.meta.dirname, '../golden')

/** What crosses the bridge for a golden case. */
function rawCall(op: string): Raw {
  const [file] = readdirSync(join(golden, op)).sort() as [string]
  const { tensors, metadata } = readSafetensors(join(golden, op, file))
  const inputs = Object.entries(tensors).filter(([name]) => !/^(expected|aux)\./.test(name))
  const run = vi.spyOn(native, 'run')
  let meta = new Float64Array()
  run.mockImplementationOnce((_, described) => {
    meta = described.slice()
  })
  callByName(op, Object.fromEntries(inputs), JSON.parse(metadata.params!), {})
  const [form, , ...data] = run.mock.lastCall!
  run.mockRestore()
  const slots: Slot[] = []
  let at = 4 + meta[1]!
  for (let i = 0; i < meta[2]!; i++) {
    const [kind, rank, offset] = meta.subarray(at, at + 3) as unknown as [number, number, number]
    const sizes = [...meta.subarray(at + 3, at + 3 + 2 * rank)]
    at += 3 + 2 * rank
    const [shape, strides] = [sizes.slice(0, rank), sizes.slice(rank)]
    slots.push({ kind, offset, shape, strides, data: kind === 0 ? undefined : data.shift() })
  }
  return { form, params: [...meta.subarray(4, 4 + meta[1]!)], slots }
}

function make({ form, params, slots }: Raw): void {
  const described = slots.flatMap(({ kind, shape, offset, strides }) => [
    ...[kind, shape.length, offset],
    ...shape,
    ...strides,
  ])
  const meta = Float64Array.of(1, params.length, slots.length, 0, ...params, ...described)
  native.run(form, meta, ...slots.flatMap(({ data }) => data ?? []))
}

const absent: Slot = { kind: 0, offset: 0, shape: [], strides: [], data: undefined }
const half: Slot = { kind: 2, offset: 0, shape: [0], strides: [1], data: new Uint16Array(0) }

/** Another slot in place of one. */
const wrongs: Readonly<Record<string, (slot: Slot) => Slot>> = {
  absent: () => absent,
  'described alone': slot => ({ ...slot, kind: slot.kind + 16, data: undefined }),
  'of another type': () => half,
  'without axes': slot => ({ ...slot, shape: [], strides: [] }),
  'of more axes': slot => ({
    ...slot,
    shape: [...Array(8).fill(1), ...slot.shape],
    strides: [...Array(8).fill(0), ...slot.strides],
  }),
}

test.each(readdirSync(golden).filter(name => definitions.has(name)))('%s', op => {
  const raw = rawCall(op)
  make(raw)
  const refused = expect.objectContaining({ code: 'ERR_FOVEA_TYPE' })
  const { tensors, params } = definitions.get(op)!
  const required = Object.values(tensors).filter(({ optional }) => optional === undefined).length
  raw.slots.forEach((slot, i) => {
    if (slot.kind === 0) return
    for (const [how, change] of Object.entries(wrongs)) {
      const call = { ...raw, slots: raw.slots.with(i, change(slot)) }
      // What is optional may be absent, and what takes numbers of 16 bits or any rank then has them.
      const isCertain = how === 'described alone' || (how === 'absent' && i < required)
      if (isCertain) expect(() => make(call), `${how}: ${i}`).toThrow(refused)
      else tolerate(call)
    }
  })
  for (const count of [0, 1, raw.slots.length - 1, raw.slots.length + 1]) {
    const slots = [...raw.slots, absent].slice(0, count)
    expect(() => make({ ...raw, slots }), `${count} slots`).toThrow(refused)
  }
  // How many elements a list has that comes first only a call tells.
  const first = Object.values(params ?? {}).find(param => param?.native !== false)
  if (first === undefined || first.native !== undefined || first.kind === 'list') return
  expect(() => make({ ...raw, params: [] })).toThrow(refused)
})

/** Nothing but an error of ours may come of it. */
function tolerate(call: Raw): void {
  try {
    make(call)
  } catch (error) {
    expect(error).toHaveProperty('code', expect.stringMatching(/^ERR_FOVEA_/))
  }
}
