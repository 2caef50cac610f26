// Reading a call's arguments. All code of the caller's (getters, Proxies) runs here and nowhere later;
// what follows works on copies.

import {
  type Plan,
  paramOption,
  promiseNames,
  reservedNames,
  tensorOption,
} from '../declaration/plan.ts'
import { fail, nearest, words } from '../errors.ts'
import { countOf, isArray } from '../memory.ts'
import { maxThreads } from '../settings.ts'
import { readView } from '../tensors/view.ts'
import type { Frame } from './frame.ts'
import { readParam } from './resolve.ts'
import { readPrepared, readWeights } from './weights.ts'

/** Positional arguments and options, into the frame. */
export function readArguments(frame: Frame, args: readonly unknown[], isPromise: boolean): void {
  const { plan } = frame
  const optionsAt = plan.required + (plan.takesWeights ? 1 : 0)
  if (args.length > optionsAt + 1) refuseCount(plan, args.length)
  if (plan.takesWeights) readPrepared(frame, args[plan.required])
  const options = args[optionsAt]
  if (options !== undefined) readOptions(frame, options, isPromise)
  for (let i = 0; i < plan.required; i++) {
    const tensor = plan.tensors[i]!
    const value = args[i]
    if (tensor.absentWhen !== undefined && isSet(frame, tensor.absentWhen)) {
      if (value !== null && value !== undefined) {
        fail(
          plan.name,
          tensor.name,
          'ERR_FOVEA_TYPE',
          `be null where ${tensor.absentWhen} is true`,
          value,
        )
      }
    } else {
      readView(frame.tensors[i]!, tensor, value)
    }
  }
  if (plan.takesWeights) readWeights(frame, args[plan.required])
}

function refuseCount(plan: Plan, count: number): never {
  const names = plan.tensors.slice(0, plan.required).map(tensor => tensor.name)
  if (plan.takesWeights) names.push('weights')
  names.push('options')
  const rule = `be at most ${names.length}: ${names.join(', ')}`
  return fail(plan.name, 'arguments', 'ERR_FOVEA_TYPE', rule, count)
}

/** A boolean parameter as far as it is known before the others. */
function isSet(frame: Frame, name: string): boolean {
  const { index } = frame.plan.options.get(name)!
  const value = frame.raw[index] ?? frame.prepared?.values[index]
  return value === undefined ? frame.plan.params[index]!.constant === true : value === true
}

function readOptions(frame: Frame, options: unknown, isPromise: boolean): void {
  const { plan } = frame
  if (typeof options !== 'object' || options === null || isArray(options)) {
    fail(plan.name, 'options', 'ERR_FOVEA_TYPE', 'be an object', options)
  }
  for (const name in options) {
    const option = plan.options.get(name)
    if (option === undefined) refuseOption(plan, name)
    const value = (options as Record<string, unknown>)[name]
    if (value === undefined) continue
    const { kind, index } = option
    if (kind === paramOption) {
      const param = plan.params[index]!
      frame.raw[index] = readParam(param, param.param, '', value)
    } else if (kind === tensorOption) {
      readView(frame.tensors[index]!, plan.tensors[index]!, value)
    } else if (index < reservedNames.length) {
      readReserved[index]!(frame, value)
    } else if (isPromise) {
      frame.promiseOptions[index - reservedNames.length] = value
    } else {
      const rule =
        'be given to the operation of fovea/promises, for it has no use in a synchronous call'
      fail(plan.name, name, 'ERR_FOVEA_UNKNOWN_OPTION', rule, value)
    }
  }
}

function refuseOption(plan: Plan, name: string): never {
  const tensors = plan.tensors.map(tensor => tensor.name)
  const near = nearest(name, [...plan.options.keys(), ...tensors])
  const known = [...plan.options.keys()].filter(
    option => !(promiseNames as readonly string[]).includes(option),
  )
  const required = plan.tensors.find(tensor => !tensor.optional && tensor.name === name)
  const rule =
    required !== undefined
      ? 'be given as an argument of its own'
      : near !== undefined
        ? `be spelled ${near}`
        : `be one of ${known.join(', ')}`
  return fail(
    plan.name,
    name,
    'ERR_FOVEA_UNKNOWN_OPTION',
    rule,
    words(`the option ${printable(name)}`),
  )
}

function printable(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 57)}…`
}

const readReserved: readonly ((frame: Frame, value: unknown) => void)[] = [
  readOutputs,
  readInto,
  readThreads,
]

function outputIndex(frame: Frame, argument: string, name: unknown): number {
  const { plan } = frame
  const output = plan.outputs.find(candidate => candidate.name === name)
  if (output !== undefined) return output.index
  const names = plan.outputs.map(candidate => candidate.name)
  const near = typeof name === 'string' ? nearest(name, names) : undefined
  const rule =
    near === undefined ? `name outputs, of ${names.join(', ')}` : `name ${near}, spelled like this`
  return fail(plan.name, argument, 'ERR_FOVEA_OUTPUT', rule, name)
}

function readOutputs(frame: Frame, value: unknown): void {
  if (!isArray(value)) {
    fail(frame.plan.name, 'outputs', 'ERR_FOVEA_TYPE', 'be an array of names', value)
  }
  const count = countOf(value)
  if (count < 0) fail(frame.plan.name, 'outputs', 'ERR_FOVEA_TYPE', 'be an array of names', value)
  for (let i = 0; i < count; i++) {
    const name = value[i]
    if (typeof name !== 'string') {
      fail(frame.plan.name, `outputs[${i}]`, 'ERR_FOVEA_TYPE', 'be the name of an output', name)
    }
    frame.asked[outputIndex(frame, 'outputs', name)] = true
  }
}

function readInto(frame: Frame, value: unknown): void {
  if (typeof value !== 'object' || value === null || isArray(value)) {
    fail(frame.plan.name, 'into', 'ERR_FOVEA_TYPE', 'be an object of tensors by output', value)
  }
  for (const name in value) {
    const index = outputIndex(frame, 'into', name)
    const tensor = (value as Record<string, unknown>)[name]
    if (tensor === undefined) continue
    readView(frame.outs[index]!, frame.plan.outputs[index]!, tensor)
    frame.asked[index] = true
    frame.outGiven[index] = tensor as object
  }
}

function readThreads(frame: Frame, value: unknown): void {
  const { name } = frame.plan
  const most = maxThreads()
  if (typeof value !== 'number') {
    fail(name, 'threads', 'ERR_FOVEA_TYPE', `be a whole number of 1 to ${most}`, value)
  }
  if (!Number.isInteger(value) || value < 1 || value > most) {
    fail(name, 'threads', 'ERR_FOVEA_OPTION', `be a whole number of 1 to ${most}`, value)
  }
  frame.threads = value
}
