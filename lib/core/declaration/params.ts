import type { Context } from './context.ts'

/** What a parameter holds once it has been checked. */
export type ParamValue = number | boolean | string | readonly ParamValue[]

/** A value that depends on the call, with the words that `fovea ops` prints for it. */
export interface Dynamic<T> {
  readonly text: string
  readonly of: (c: Context) => T
}

/** `dynamic('1/sqrt(D)', c => 1 / Math.sqrt(c.dim('D')))` */
export function dynamic<T>(text: string, of: (c: Context) => T): Dynamic<T> {
  return { text, of }
}

interface Common<T> {
  /** What a call without the parameter takes. None: the parameter is required, unless `optional`. */
  readonly default?: T | Dynamic<T>
  /** May be left out without a default: reads as undefined here and as `absent` in C++. */
  readonly optional?: boolean
  /** What the engine gets where an optional parameter is left out (default -1). */
  readonly absent?: number
  /** What tensors or weights imply. Left out, the parameter takes it; another value is an error. */
  readonly implied?: Dynamic<T | undefined>
  /** False where the other parameters leave this one without use: its kind is checked, its value ignored. */
  readonly used?: Dynamic<boolean>
  /** Prepared weights do not depend on it: where prepareWeights was not given one, each call chooses. */
  readonly perCall?: boolean
  /** False: the engine never sees it. A function: the numbers it sees in its place. */
  readonly native?: false | ((value: ParamValue, c: Context) => readonly number[])
}

interface Range {
  readonly min?: number
  readonly max?: number
  /** An exclusive lower bound. */
  readonly above?: number
}

export interface NumberParam extends Common<number>, Range {
  readonly kind: 'number'
}
export interface IntegerParam extends Common<number>, Range {
  readonly kind: 'integer'
}
export interface BooleanParam extends Common<boolean> {
  readonly kind: 'boolean'
}
export interface ChoiceParam extends Common<string> {
  readonly kind: 'choice'
  /** The engine sees the index. */
  readonly choices: readonly string[]
}
export interface ListParam extends Common<ParamValue> {
  readonly kind: 'list'
  readonly element: Param
  /** How many elements: a number, or a function of the call. Without it any number (then `native` is needed). */
  readonly length?: number | Dynamic<number>
  readonly minLength?: number
  /** Whether one element may stand for the whole list. Default: where there is a `length`. */
  readonly spread?: boolean
}
export type Param = NumberParam | IntegerParam | BooleanParam | ChoiceParam | ListParam

/** A finite number. */
export function number(options: Common<number> & Range = {}): NumberParam {
  return { kind: 'number', ...options }
}

/** A whole number within +-(2^53 - 1). */
export function integer(options: Common<number> & Range = {}): IntegerParam {
  return { kind: 'integer', ...options }
}

export function boolean(options: Common<boolean> = {}): BooleanParam {
  return { kind: 'boolean', ...options }
}

export function choice(choices: readonly string[], options: Common<string> = {}): ChoiceParam {
  return { kind: 'choice', choices, ...options }
}

/** One element per axis (or per head); a single element stands for a list of itself. */
export function list(
  element: Param,
  options: Common<ParamValue> & Pick<ListParam, 'length' | 'minLength' | 'spread'> = {},
): ListParam {
  return { kind: 'list', element, ...options }
}

/** What the engine sees of a checked value: a number itself, a boolean as 0 or 1, a choice as its index. */
export function encode(param: Param, value: ParamValue): number {
  return param.kind === 'choice' ? param.choices.indexOf(value as string) : Number(value)
}
