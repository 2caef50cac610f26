import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors, writeSafetensors } from '../../lib/index.ts'
import { root } from './command.ts'

export const golden = join(root, 'test/golden')

/** A public case of an operation, the first of its folder. */
export function goldenCase(op: string): string {
  const [first] = readdirSync(join(golden, op)).toSorted()
  return join(golden, op, first!)
}

type Tensors = ReturnType<typeof readSafetensors>['tensors']

/** Copies a case to `path`, changed. */
export function changedCase(
  from: string,
  path: string,
  change: (tensors: Tensors, metadata: Record<string, string>) => void,
): string {
  const { tensors, metadata } = readSafetensors(from)
  change(tensors, metadata)
  writeSafetensors(path, tensors, metadata)
  return path
}

/** What makes a request of a case. */
export function request(tensors: Tensors, metadata: Record<string, string>): void {
  for (const name of Object.keys(tensors)) {
    if (name.startsWith('expected.')) delete tensors[name]
  }
  for (const name of ['source', 'rtol', 'atol', 'tolerances']) delete metadata[name]
}
