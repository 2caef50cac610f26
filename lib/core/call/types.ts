// The types of calls: from an operation's arguments, options and outputs to what a call may be given
// and what it then returns.
import type { Output, TensorLike } from '../tensors/tensor.ts'

/** Memory of the caller's for outputs, by name. */
export type IntoOf<Outputs> = { readonly [Name in keyof Outputs]?: TensorLike | undefined }

/** Options that every operation has. `Names` and `Into` are what a call asks for. */
export interface CallOptions<
  Outputs,
  Names = readonly (keyof Outputs & string)[] | undefined,
  Into = IntoOf<Outputs> | undefined,
> {
  /** Names of the outputs wanted beyond those that always come. */
  readonly outputs?: Names | undefined
  /** Memory of the caller's for outputs, in any layout whose elements have distinct addresses. */
  readonly into?: (Into & NoMore<Into, keyof Outputs>) | undefined
  /** At most this many threads for this call. Never changes a bit of the result. */
  readonly threads?: number | undefined
}

/** How far a call has come. */
export interface Progress {
  readonly done: number
  readonly total: number
}

/** Options that every promise-returning operation has besides. */
export interface PromiseOptions<
  Outputs,
  Names = readonly (keyof Outputs & string)[] | undefined,
  Into = IntoOf<Outputs> | undefined,
> extends CallOptions<Outputs, Names, Into> {
  /** Ends the call: the promise rejects with `signal.reason`, and what `into` holds is undefined. */
  readonly signal?: AbortSignal | undefined
  /**
   * Called at most 20 times a second with the tiles done and the tiles there are, as far as they are
   * known by then. What it throws ends the call.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Calls with a larger one go first; 0 where left out. */
  readonly priority?: number | undefined
  /** Copies the inputs at the call, so that their memory may be detached or overwritten at once. */
  readonly copyInputs?: boolean | undefined
}

/** Positional arguments, then the options: to be given where one of them is required. */
export type Arguments<Args extends readonly unknown[], Options, Given> =
  Record<never, never> extends Options
    ? [...Args, options?: Given | undefined]
    : [...Args, options: Given]

// Memory for an output that the operation does not have. Other unknown options are excess properties,
// which TypeScript itself refuses, with the right name.
type NoMore<Given, Names> = [Exclude<keyof Given, Names>] extends [never]
  ? unknown
  : { readonly [Name in Exclude<keyof Given, Names>]: never }

type Always<Outputs> = {
  [Name in keyof Outputs]-?: Record<never, never> extends Pick<Outputs, Name> ? never : Name
}[keyof Outputs]

// The names in a tuple are certain to be asked for; those of a plain array, or of an optional property
// of `into`, are not.
type CertainNames<Names> = Names extends readonly (infer Name)[]
  ? number extends Names['length']
    ? never
    : Name
  : never
type AllNames<Names> = Names extends readonly (infer Name)[] ? Name : never
type CertainKeys<Into> = {
  [Name in keyof Into]-?: undefined extends Into[Name] ? never : Name
}[keyof Into]

// The caller's own memory comes back as its own type, where it is sure to be given.
type Returned<Into, Name, Fresh> = Name extends keyof Into
  ? undefined extends Into[Name]
    ? Exclude<Into[Name], undefined> | Fresh
    : Into[Name]
  : Fresh

type Certain<Outputs, Names, Into> = Extract<
  Always<Outputs> | CertainNames<Names> | CertainKeys<Into>,
  keyof Outputs
>
type Possible<Outputs, Names, Into> = Exclude<
  Extract<AllNames<Names> | keyof Into, keyof Outputs>,
  Certain<Outputs, Names, Into>
>

type Flat<T> = { [Name in keyof T]: T[Name] }

/** What a call returns: the outputs that always come and those asked for. */
export type Results<Outputs, Names, Into> = Flat<
  {
    readonly [Name in Certain<Outputs, Names, Into>]: Returned<
      Into,
      Name,
      Exclude<Outputs[Name], undefined>
    >
  } & {
    readonly [Name in Possible<Outputs, Names, Into>]?: Returned<
      Into,
      Name,
      Exclude<Outputs[Name], undefined>
    >
  }
>

/** The outputs of an operation that has one. */
export interface OnlyOut {
  out: Output
}
