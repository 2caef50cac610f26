import { type FileTensor, readSafetensorsAsync } from '../io/readSafetensors.ts'
import { selectWeights } from '../io/selectWeights.ts'
import type { Tolerance } from './tolerance.ts'

/** A case or request file, taken apart. */
export interface Case {
  readonly op: string
  readonly params: Readonly<Record<string, unknown>>
  /** Inputs by name; weights under `weights.NAME`. */
  readonly tensors: Readonly<Record<string, FileTensor>>
  /** Empty in a request. */
  readonly expected: Readonly<Record<string, FileTensor>>
  /** How far the output may be from what is expected. */
  tolerance(output: string): Tolerance
}

function parseObject(text: string | undefined, what: string): Record<string, unknown> {
  if (text === undefined) return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`metadata ${what} must be JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`metadata ${what} must be a JSON object; got ${text.slice(0, 60)}`)
  }
  return value as Record<string, unknown>
}

function checkTolerance(rtol: unknown, atol: unknown): Tolerance {
  for (const [name, value] of Object.entries({ rtol, atol })) {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw new Error(`metadata must give ${name} as a number >= 0; got ${String(value)}`)
    }
  }
  return { rtol: rtol as number, atol: atol as number }
}

function asNumber(text: string | undefined): number | undefined {
  return text === undefined || text.trim() === '' ? undefined : Number(text)
}

/** Reads a case or request file. What it means for the operation is checked when it runs. */
export async function readCase(path: string): Promise<Case> {
  const { tensors: all, metadata } = await readSafetensorsAsync(path)
  const { op, params, rtol, atol, tolerances } = metadata
  if (op === undefined) throw new Error('metadata must name an op')
  const perOutput = parseObject(tolerances, 'tolerances')
  const inputs = Object.entries(all).filter(([name]) => !/^(expected|aux)\./.test(name))
  return {
    op,
    params: parseObject(params, 'params'),
    tensors: Object.fromEntries(inputs),
    expected: selectWeights(all, 'expected.'),
    tolerance(output) {
      const own = Object.hasOwn(perOutput, output) ? perOutput[output] : undefined
      if (own === undefined) return checkTolerance(asNumber(rtol), asNumber(atol))
      const given = own as { rtol?: unknown; atol?: unknown } | null
      return checkTolerance(given?.rtol, given?.atol)
    },
  }
}
