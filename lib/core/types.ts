// The types of calls: from an operation's arguments, options and outputs to what a call may be given
// and what it then returns.
import type { Output, TensorLike } from './tensor.ts'

/** Options that every operation has. */
export interface CallOptions<Outputs> {
  /** Names of the outputs wanted beyond those that always come. */
  readonly outputs?: readonly (keyof Outputs & string)[] | undefined
  /** Memory of the caller's for outputs, in any layout whose elements have distinct addresses. */
  readonly into?: { readonly [Name in keyof Outputs]?: TensorLike | undefined } | undefined
  /** At most this many threads for this call. Never changes a bit of the result. */
  readonly threads?: number | undefined
}

/** Options that every promise-returning operation has besides. */
export interface PromiseOptions<Outputs> extends CallOptions<Outputs> {
  /** Ends the call: the promise rejects with `signal.reason`, and what `into` holds is undefined. */
  readonly signal?: AbortSignal | undefined
  /** Called at most 20 times a second with the share done so far, 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined
  /** Calls with a larger one go first; 0 where left out. */
  readonly priority?: number | undefined
  /** Copies the inputs at the call, so that their memory may be detached or overwritten at once. */
  readonly copyInputs?: boolean | undefined
}

/** What a call without options asks for. */
export interface NothingAsked {
  readonly outputs?: undefined
  readonly into?: undefined
}

/** Positional arguments, then the options: required where one of them is. */
export type Arguments<Args extends readonly unknown[], Options, Given> =
  Record<never, never> extends Options
    ? [...Args, options?: Given | undefined]
    : [...Args, options: Given]

/** Refuses options (and names within `into`) that do not exist. */
export type Exact<Given, Known, Outputs> = {
  readonly [Name in Exclude<keyof Given, keyof Known>]: never
} & (Given extends { readonly into: infer Into extends object }
  ? { readonly into: { readonly [Name in Exclude<keyof Into, keyof Outputs>]: never } }
  : unknown)

type Always<Outputs> = {
  [Name in keyof Outputs]-?: Record<never, never> extends Pick<Outputs, Name> ? never : Name
}[keyof Outputs]

type Get<T, Name> = Name extends keyof T ? T[Name] : undefined

// Names in an `outputs` tuple, which are certain; those of a plain array or of an optional one are not.
type CertainNames<List> = [List] extends [readonly (infer Name)[]]
  ? number extends List['length']
    ? never
    : Name
  : never
type PossibleNames<List> = List extends readonly (infer Name)[] ? Name : never

type CertainKeys<Into> = [Into] extends [object]
  ? { [Name in keyof Into]-?: undefined extends Into[Name] ? never : Name }[keyof Into]
  : never
type PossibleKeys<Into> = Into extends object ? keyof Into : never

// The caller's own memory as its own type, where it is sure to be given.
type Returned<Into, Name, Fresh> = [Into] extends [object]
  ? Name extends keyof Into
    ? undefined extends Into[Name]
      ? Exclude<Into[Name], undefined> | Fresh
      : Into[Name]
    : Fresh
  : Fresh | Exclude<Get<Extract<Into, object>, Name>, undefined>

type Certain<Outputs, Given> = Extract<
  Always<Outputs> | CertainNames<Get<Given, 'outputs'>> | CertainKeys<Get<Given, 'into'>>,
  keyof Outputs
>
type Possible<Outputs, Given> = Exclude<
  Extract<PossibleNames<Get<Given, 'outputs'>> | PossibleKeys<Get<Given, 'into'>>, keyof Outputs>,
  Certain<Outputs, Given>
>

type Flat<T> = { [Name in keyof T]: T[Name] }

/** What a call with the options `Given` returns: the outputs that always come and those asked for. */
export type Results<Outputs, Given> = Flat<
  {
    readonly [Name in Certain<Outputs, Given>]: Returned<
      Get<Given, 'into'>,
      Name,
      Exclude<Outputs[Name], undefined>
    >
  } & {
    readonly [Name in Possible<Outputs, Given>]?: Returned<
      Get<Given, 'into'>,
      Name,
      Exclude<Outputs[Name], undefined>
    >
  }
>

/** The outputs of an operation that has one. */
export interface OnlyOut {
  out: Output
}
