import '../index.ts' // declares the operations
import { reservedOption } from '../core/declaration/plan.ts'
import { callByNameAsync, definitions, findPlan } from '../core/operation.ts'
import type { Output } from '../core/tensors/tensor.ts'

import type { Case } from './caseFile.ts'
import { interrupted } from './interrupt.ts'
import { meant } from './options.ts'

/** Runs a case: every output that the operation has under its parameters, by name. */
export async function runCase(c: Case): Promise<Readonly<Record<string, Output>>> {
  if (!definitions.has(c.op)) {
    throw new Error(`no operation is called ${c.op}${meant(c.op, definitions.keys())}`)
  }
  const { options } = findPlan('fovea', c.op)
  for (const name of Object.keys({ ...c.tensors, ...c.params })) {
    // Reserved by the call, and none of the operation's own.
    if (options.get(name)?.kind === reservedOption) {
      throw new Error(`${c.op} has no tensor or parameter ${name}`)
    }
  }
  return await callByNameAsync(c.op, c.tensors, c.params, { signal: interrupted })
}
