import { arrayKind, isArray } from './memory.ts'

/** What is wrong, for programs: stable from version to version, where the words of a message are not. */
export type Code =
  | 'ERR_FOVEA_TYPE'
  | 'ERR_FOVEA_RANK'
  | 'ERR_FOVEA_SHAPE'
  | 'ERR_FOVEA_STRIDE'
  | 'ERR_FOVEA_BOUNDS'
  | 'ERR_FOVEA_OPTION'
  | 'ERR_FOVEA_UNKNOWN_OPTION'
  | 'ERR_FOVEA_ALIGN'
  | 'ERR_FOVEA_OUTPUT'
  | 'ERR_FOVEA_OVERLAP'
  | 'ERR_FOVEA_DETACHED'
  | 'ERR_FOVEA_RESIZABLE'
  | 'ERR_FOVEA_WEIGHT_MISSING'
  | 'ERR_FOVEA_WEIGHT_UNKNOWN'
  | 'ERR_FOVEA_WEIGHT_SHAPE'
  | 'ERR_FOVEA_MEMORY'
  | 'ERR_FOVEA_QUEUE_FULL'
  | 'ERR_FOVEA_FILE'
  | 'ERR_FOVEA_BINARY'
  | 'ERR_FOVEA_ISA'

/** What every error of fovea carries, whichever its class. */
export interface ErrorDetails {
  readonly code: Code
  readonly operation: string
  readonly argument: string
  /** The rule: what the argument must do or be. */
  readonly expected: string
  /** What was given, in words. */
  readonly received: string
}

/** Everything that is not a wrong argument: memory, files, the binary, the queue, the instruction set. */
export class FoveaError extends Error implements ErrorDetails {
  readonly code: Code
  readonly operation: string
  readonly argument: string
  readonly expected: string
  readonly received: string

  constructor(message: string, details: ErrorDetails, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = details.code
    this.operation = details.operation
    this.argument = details.argument
    this.expected = details.expected
    this.received = details.received
  }
}
// On the prototype, as the built-in errors have it.
Object.defineProperty(FoveaError.prototype, 'name', {
  value: 'FoveaError',
  writable: true,
  configurable: true,
})

const typeErrors: ReadonlySet<string> = new Set<Code>([
  'ERR_FOVEA_TYPE',
  'ERR_FOVEA_UNKNOWN_OPTION',
  'ERR_FOVEA_WEIGHT_MISSING',
  'ERR_FOVEA_WEIGHT_UNKNOWN',
  'ERR_FOVEA_DETACHED',
  'ERR_FOVEA_RESIZABLE',
])
const rangeErrors: ReadonlySet<string> = new Set<Code>([
  'ERR_FOVEA_RANK',
  'ERR_FOVEA_SHAPE',
  'ERR_FOVEA_STRIDE',
  'ERR_FOVEA_BOUNDS',
  'ERR_FOVEA_OPTION',
  'ERR_FOVEA_ALIGN',
  'ERR_FOVEA_OUTPUT',
  'ERR_FOVEA_OVERLAP',
  'ERR_FOVEA_WEIGHT_SHAPE',
])

/** The error that reads `<operation>: <argument> must <rule>; got <received>.` */
export function foveaError(
  operation: string,
  argument: string,
  code: Code,
  rule: string,
  received: string,
  cause?: unknown,
): Error & ErrorDetails {
  const message = `${operation}: ${argument} must ${rule}; got ${received}.`
  const details: ErrorDetails = { code, operation, argument, expected: rule, received }
  if (typeErrors.has(code)) return Object.assign(new TypeError(message), details)
  if (rangeErrors.has(code)) return Object.assign(new RangeError(message), details)
  return new FoveaError(message, details, cause)
}

/** Throws it. `received` is formatted unless it is a {@link Words}. */
export function fail(
  operation: string,
  argument: string,
  code: Code,
  rule: string,
  received: unknown,
): never {
  throw foveaError(operation, argument, code, rule, format(received))
}

/** Text to be printed as it is: not a value that a caller gave. */
export class Words {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  get text(): string {
    return this.#text
  }
  /** Not `instanceof`, which a Proxy answers itself. */
  static is(value: object): value is Words {
    return #text in value
  }
}
export function words(text: string): Words {
  return new Words(text)
}

/** A value in words, without running any code of its owner (no toString, no getter, no Proxy trap). */
export function format(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= 60 ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, 57))}…`
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return 'a bigint'
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object': {
      if (value === null) return 'null'
      if (Words.is(value)) return value.text
      const tag = arrayKind.call(value)
      if (tag !== undefined)
        return `${/^[AEIOU]/.test(tag) && !tag.startsWith('U') ? 'an' : 'a'} ${tag}`
      return isArray(value) ? 'an array' : 'an object'
    }
    default:
      return String(value)
  }
}

/** `[2, 3]`: for lists that are ours, never for a caller's array. */
export function formatList(values: Iterable<number | string>): Words {
  return new Words(`[${[...values].join(', ')}]`)
}

/**
 * The candidate that `name` most likely means: near in spelling, else the longest that it holds
 * (`isCausal`), else the one that holds it (`kernel`, of `kernelSize`).
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates]
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(Math.min(name.length, 64) / 3)) + 1
  for (const candidate of all) {
    const distance =
      candidate.toLowerCase() === name.toLowerCase()
        ? 0
        : editDistance(name, candidate, bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  if (best !== undefined) return best
  const [held] = all
    .filter(candidate => holds(name, candidate))
    .toSorted((a, b) => b.length - a.length)
  const [holder, ...others] = all.filter(candidate => holds(candidate, name))
  return held ?? (others.length === 0 ? holder : undefined)
}

function holds(name: string, part: string): boolean {
  return part.length > 3 && name.toLowerCase().includes(part.toLowerCase())
}

// Damerau-Levenshtein with adjacent transpositions (optimal string alignment), given up at `limit`.
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (
        i > 1 &&
        j > 1 &&
        a.charCodeAt(i - 1) === b.charCodeAt(j - 2) &&
        a.charCodeAt(i - 2) === b.charCodeAt(j - 1)
      ) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
