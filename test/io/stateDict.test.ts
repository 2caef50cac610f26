// A whole model's state_dict as PyTorch exports it, from a file to the operations: I64 counters of the
// norms, tensors of float16, and other modules beside the one that is wanted.
import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../lib/io/readSafetensors.ts'
import { selectWeights } from '../../lib/io/selectWeights.ts'
import { goldenFiles, readCaseFile } from '../support/caseFile.ts'
import { expectSameBits } from '../support/compare.ts'
import { operation, prepare } from '../support/engine.ts'
import type { Dense } from '../support/tensors.ts'
import { entry, fileOf } from './build.ts'

const prefix = 'backbone.stages.2.attention.'

/** Float16 numbers that float32 holds too, [bits, value]: 0 to 2 in steps of 2^-9, of either sign. */
function half(value: number): [bits: number, value: number] {
  const rounded = Math.min(Math.max(Math.round(Math.abs(value) * 512), 1), 1023) / 512
  const exponent = Math.floor(Math.log2(rounded))
  const bits = ((exponent + 15) << 10) | Math.round((rounded / 2 ** exponent - 1) * 1024)
  return [value < 0 ? bits | 0x8000 : bits, Math.sign(value || 1) * rounded]
}

interface Stored {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

/** The weights of a golden case as a file holds them, and as float32 has them then. */
function stateDict(weights: Readonly<Record<string, Dense>>): {
  file: Uint8Array
  plain: Record<string, Dense>
} {
  const stored: [name: string, Stored][] = []
  const plain: Record<string, Dense> = {}
  const counter = { dtype: 'I64', shape: [], bytes: bytesOf(BigInt64Array.of(23456n)) }
  const other = bytesOf(Float32Array.of(1, 2, 3, 4))
  stored.push([
    'backbone.stages.2.attention_pool.weight',
    { dtype: 'F32', shape: [4], bytes: other },
  ])
  for (const [n, [name, { data, shape }]] of Object.entries(weights).entries()) {
    if (n % 2 === 0) {
      plain[name] = { data, shape }
      stored.push([prefix + name, { dtype: 'F32', shape, bytes: bytesOf(data) }])
    } else {
      const halves = Array.from(data, half)
      plain[name] = { data: Float32Array.from(halves, ([, value]) => value), shape }
      const bytes = bytesOf(Uint16Array.from(halves, ([bits]) => bits))
      stored.push([prefix + name, { dtype: 'F16', shape, bytes }])
    }
    if (name.endsWith('running_var'))
      stored.push([prefix + name.replace('running_var', 'num_batches_tracked'), counter])
  }
  stored.push(['head.fc.weight', { dtype: 'BF16', shape: [2, 4], bytes: other }])
  stored.push(['num_batches_tracked', counter])
  const header: Record<string, object> = { __metadata__: { format: 'pt' } }
  let at = 0
  for (const [name, { dtype, shape, bytes }] of stored) {
    header[name] = entry(dtype, [...shape], at, at + bytes.byteLength)
    at += bytes.byteLength
  }
  return { file: fileOf(header, Buffer.concat(stored.map(([, { bytes }]) => bytes))), plain }
}

describe.each(['residualAttentionModule', 'rgaModule', 'bilinearAttention'])('%s', op => {
  const { tensors, weights, params } = readCaseFile(goldenFiles(op)[0]!)
  const { file, plain } = stateDict(weights)
  const { x } = tensors
  const run = operation(op)
  const selected = (): Record<string, Dense> =>
    selectWeights(readSafetensors(file).tensors, prefix) as unknown as Record<string, Dense>

  test('loads as the file has it, plain and prepared', () => {
    const want = run(x, plain, params).out!
    expectSameBits(run(x, selected(), params).out!, want)
    expectSameBits(run(x, prepare(op, selected(), params)).out!, want)
  })

  test('answers what does not belong', () => {
    const [name] = Object.keys(plain) as [string]
    const refused = (given: object): unknown => {
      try {
        run(x, given, params)
      } catch (error) {
        const { code, argument, message } = error as Error & { code: string; argument: string }
        return { code, argument, message }
      }
      return undefined
    }
    const { [name]: first, ...rest } = selected()
    expect(refused(rest)).toMatchObject({
      code: 'ERR_FOVEA_WEIGHT_MISSING',
      argument: `weights.${name}`,
    })
    expect(refused({ ...rest, [`${name}s`]: first })).toMatchObject({
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: `weights.${name}s`,
      message: expect.stringContaining(`be spelled ${name};`),
    })
    expect(refused({ ...selected(), 'fc.weight': first })).toMatchObject({
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
      argument: 'weights.fc.weight',
    })
    const longer = { data: new Float32Array(997), shape: [997] }
    expect(refused({ ...rest, [name]: longer })).toMatchObject({
      code: 'ERR_FOVEA_WEIGHT_SHAPE',
      argument: `weights.${name}`,
      message: expect.stringContaining('got [997].'),
    })
    // The whole model, where a part of it was meant.
    expect(refused(readSafetensors(file).tensors)).toMatchObject({
      code: 'ERR_FOVEA_WEIGHT_UNKNOWN',
    })
  })
})
