// Parameters: what the caller gave is read and checked for its kind at once; defaults, what tensors and
// prepared weights imply, ranges and lengths follow when the sizes are known.
import type { Context } from '../declaration/context.ts'
import { type Dynamic, encode, type Param, type ParamValue } from '../declaration/params.ts'
import type { ParamPlan } from '../declaration/plan.ts'
import { fail, format, nearest, words } from '../errors.ts'
import { countOf, isArray } from '../memory.ts'
import type { Frame } from './frame.ts'

const quote = (name: string): string => `'${name}'`

function range({ min, max, above }: { min?: number; max?: number; above?: number }): string {
  if (min !== undefined && max !== undefined) return ` of ${min} to ${max}`
  if (above !== undefined) return ` above ${above}${max === undefined ? '' : ` and at most ${max}`}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? '' : ` of at most ${max}`
}

/** What a parameter must be, in words. */
function ruleOf(param: Param): string {
  switch (param.kind) {
    case 'number':
      return `be a finite number${range(param)}`
    case 'integer':
      return `be a whole number${range(param)}`
    case 'boolean':
      return 'be true or false'
    case 'choice':
      return `be ${param.choices.map(quote).join(' or ')}`
    case 'list': {
      const element = ruleOf(param.element).replace(/^be /, '')
      return spreads(param)
        ? `be an array, or one for all: ${element}`
        : `be an array, each ${element}`
    }
  }
}

function spreads(param: Param & { kind: 'list' }): boolean {
  return param.spread ?? param.length !== undefined
}

/** Reads and copies what a caller gave for a parameter: its kind is right behind this, its range is not. */
export function readParam(plan: ParamPlan, param: Param, at: string, value: unknown): ParamValue {
  const refuse = (code: 'ERR_FOVEA_TYPE' | 'ERR_FOVEA_OPTION', received: unknown = value): never =>
    fail(plan.operation, plan.name + at, code, ruleOf(param), received)
  switch (param.kind) {
    case 'number':
      if (typeof value !== 'number') return refuse('ERR_FOVEA_TYPE')
      return Number.isFinite(value) ? value : refuse('ERR_FOVEA_OPTION')
    case 'integer':
      if (typeof value !== 'number') return refuse('ERR_FOVEA_TYPE')
      return Number.isSafeInteger(value) ? value + 0 : refuse('ERR_FOVEA_OPTION')
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse('ERR_FOVEA_TYPE')
    case 'choice': {
      if (typeof value !== 'string') return refuse('ERR_FOVEA_TYPE')
      if (param.choices.includes(value)) return value
      const near = nearest(value, param.choices)
      const hint = near === undefined ? '' : ` (${quote(near)} is near)`
      return refuse('ERR_FOVEA_OPTION', words(format(value) + hint))
    }
    case 'list': {
      if (!isArray(value)) {
        return spreads(param) ? readParam(plan, param.element, at, value) : refuse('ERR_FOVEA_TYPE')
      }
      const count = countOf(value)
      if (count < 0) return refuse('ERR_FOVEA_OPTION', words('a list of odd length'))
      const copy: ParamValue[] = []
      for (let i = 0; i < count; i++) {
        copy.push(readParam(plan, param.element, `${at}[${i}]`, value[i]))
      }
      return copy
    }
  }
}

function checkRange(
  plan: ParamPlan,
  param: Param,
  at: string,
  value: ParamValue,
  c: Context,
): void {
  if (param.kind === 'number' || param.kind === 'integer') {
    const n = value as number
    const { min, max, above } = param
    if (
      // What tensors imply or a default computes need not be whole.
      (param.kind === 'integer' && !Number.isSafeInteger(n)) ||
      (min !== undefined && n < min) ||
      (max !== undefined && n > max) ||
      (above !== undefined && n <= above)
    ) {
      fail(plan.operation, plan.name + at, 'ERR_FOVEA_OPTION', ruleOf(param), n)
    }
  } else if (param.kind === 'list' && typeof value === 'object') {
    const length = lengthOf(param, c)
    if (length !== undefined && value.length !== length) {
      const rule = `have ${length} element${length === 1 ? '' : 's'}`
      fail(plan.operation, plan.name + at, 'ERR_FOVEA_OPTION', rule, words(`${value.length}`))
    }
    if (param.minLength !== undefined && value.length < param.minLength) {
      const rule = `have at least ${param.minLength} element${param.minLength === 1 ? '' : 's'}`
      fail(plan.operation, plan.name + at, 'ERR_FOVEA_OPTION', rule, words(`${value.length}`))
    }
    for (let i = 0; i < value.length; i++) {
      checkRange(plan, param.element, `${at}[${i}]`, value[i]!, c)
    }
  } else if (param.kind === 'list') {
    // A single element that could not be spread, because nothing tells the length yet.
    checkRange(plan, param.element, at, value, c)
  }
}

function lengthOf(param: Param & { kind: 'list' }, c: Context): number | undefined {
  const length = typeof param.length === 'object' ? param.length.of(c) : param.length
  return length === undefined || Number.isNaN(length) ? undefined : length
}

// As many numbers as one call takes across the bridge. A view without elements may have axes of any size.
const mostElements = 65536

/** A single element becomes a list of itself. */
function spread({ name, param }: ParamPlan, value: ParamValue, c: Context): ParamValue {
  if (param.kind !== 'list' || typeof value === 'object') return value
  const length = lengthOf(param, c)
  if (length === undefined) return value
  if (length > mostElements) {
    const rule = `stand for at most ${mostElements} elements`
    c.fail(name, 'ERR_FOVEA_OPTION', rule, `${length}`)
  }
  return new Array<ParamValue>(length).fill(value)
}

function same(a: ParamValue, b: ParamValue): boolean {
  if (typeof a === 'object') {
    if (typeof b !== 'object') return a.every(element => same(element, b))
    return a.length === b.length && a.every((element, i) => same(element, b[i]!))
  }
  return typeof b === 'object' ? same(b, a) : a === b
}

/** A checked value in words. */
function formatValue(value: ParamValue): string {
  if (typeof value === 'string') return quote(value)
  return typeof value === 'object' ? `[${value.map(formatValue).join(', ')}]` : format(value)
}

function evaluate<T extends ParamValue>(
  value: T | Dynamic<T | undefined> | undefined,
  c: Context,
): ParamValue | undefined {
  const result =
    typeof value === 'object' && 'of' in value ? (value as Dynamic<T | undefined>).of(c) : value
  return Number.isNaN(result) ? undefined : (result as ParamValue | undefined)
}

/** The value of one parameter in this call; undefined where it is optional, or not known while preparing. */
function resolveParam(frame: Frame, plan: ParamPlan): ParamValue | undefined {
  const { param } = plan
  const raw = frame.raw[plan.index]
  let value = raw === undefined ? undefined : spread(plan, raw, frame)
  const refuse = (wanted: ParamValue, why: string): never => {
    const rule = `be ${formatValue(wanted)}, ${why}`
    return fail(plan.operation, plan.name, 'ERR_FOVEA_OPTION', rule, words(formatValue(value!)))
  }

  const prepared = frame.prepared?.values[plan.index]
  if (prepared !== undefined) {
    if (value !== undefined && !same(value, prepared))
      refuse(prepared, 'as in the prepared weights')
    value = spread(plan, prepared, frame)
  }
  if (param.implied !== undefined) {
    const implied = evaluate(param.implied as Dynamic<ParamValue | undefined>, frame)
    if (implied !== undefined) {
      if (value !== undefined && !same(value, implied)) refuse(implied, `as ${param.implied.text}`)
      value = spread(plan, implied, frame)
    }
  }
  const isGiven = value !== undefined
  if (value === undefined && param.default !== undefined) {
    const fallback = evaluate(param.default as ParamValue | Dynamic<ParamValue>, frame)
    if (fallback !== undefined) value = spread(plan, fallback, frame)
  }
  if (value === undefined) {
    if (param.optional === true || param.default !== undefined) return undefined
    if (frame.preparing && (param.perCall === true || param.implied !== undefined)) return undefined
    if (param.used !== undefined && !param.used.of(frame)) return undefined
    return fail(plan.operation, plan.name, 'ERR_FOVEA_OPTION', ruleOf(param), undefined)
  }
  if (isGiven && param.used !== undefined && !param.used.of(frame)) {
    // Its kind was checked. The engine gets the default rather than a number without meaning.
    const fallback = param.default
    return fallback === undefined
      ? value
      : spread(plan, evaluate(fallback as ParamValue, frame) ?? value, frame)
  }
  checkRange(plan, param, '', value, frame)
  return value
}

/** Every parameter that is not known yet, in the order of the definition. */
export function resolveParams(frame: Frame): void {
  const { params } = frame.plan
  const { raw, values } = frame
  const isPrepared = frame.prepared !== null
  for (let i = 0; i < params.length; i++) {
    const plan = params[i]!
    if (plan.constant !== undefined && raw[i] === undefined && !isPrepared)
      values[i] = plan.constant
    else if (values[i] === undefined) values[i] = resolveParam(frame, plan)
  }
}

/** Writes what the engine sees of the parameters; returns the index behind them. */
export function writeParams(frame: Frame, at: number): number {
  const { params } = frame.plan
  frame.reserve(at + params.length)
  for (let i = 0; i < params.length; i++) {
    const plan = params[i]!
    const value = frame.values[i]
    if (!plan.isScalar) at = writeParam(frame, plan, at)
    else if (value === plan.constant && value !== undefined) frame.push(at++, plan.constantCode)
    else if (typeof value === 'number') frame.push(at++, value)
    else at = writeParam(frame, plan, at)
  }
  return at
}

function writeParam(frame: Frame, { param, index }: ParamPlan, at: number): number {
  const value = frame.values[index]
  if (param.native === false) return at
  if (typeof param.native === 'function') {
    if (value === undefined) return at
    for (const number of param.native(value, frame)) frame.push(at++, number)
    return at
  }
  if (param.kind === 'list') {
    const list = typeof value === 'object' ? value : []
    for (const element of list) frame.push(at++, encode(param.element, element))
    return at
  }
  frame.push(at, value === undefined ? (param.absent ?? -1) : encode(param, value as ParamValue))
  return at + 1
}
