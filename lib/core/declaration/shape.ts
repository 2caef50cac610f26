// Shapes as text (definition.ts says how they read), compiled once when an operation is defined.
import type { Shape } from './definition.ts'

/** A sum of sizes and a constant: `3E`, `1+N`, `D+Dk`, `7`. */
export interface Sum {
  readonly constant: number
  readonly terms: readonly { readonly factor: number; readonly symbol: number }[]
}

export interface CompiledShape {
  readonly text: string
  /** One entry an axis, runs apart: a symbol's number, or -1 - i for sums[i]. */
  readonly axes: readonly number[]
  readonly sums: readonly Sum[]
  /** Before which of the axes the run stands; -1 where there is none. */
  readonly runAt: number
  readonly run: number
}

/** The names that an operation's shapes use, numbered. */
export class Symbols {
  readonly names: string[] = []
  readonly runs: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #runNumbers = new Map<string, number>()

  symbol(name: string): number {
    return number(name, this.names, this.#numbers)
  }
  run(name: string): number {
    return number(name, this.runs, this.#runNumbers)
  }
  find(name: string): number | undefined {
    return this.#numbers.get(name)
  }
  findRun(name: string): number | undefined {
    return this.#runNumbers.get(name)
  }
}

function number(name: string, names: string[], numbers: Map<string, number>): number {
  let at = numbers.get(name)
  if (at === undefined) {
    at = names.length
    names.push(name)
    numbers.set(name, at)
  }
  return at
}

const termPattern = /^(\d*)([A-Za-z_]\w*)?$/

function compileSum(axis: string, symbols: Symbols): Sum {
  let constant = 0
  const terms: { factor: number; symbol: number }[] = []
  for (const [, sign, text] of axis.matchAll(/([+-]?)([^+-]+)/g)) {
    const match = termPattern.exec(text ?? '')
    if (match === null) throw new Error(`'${axis}' is no axis`)
    const factor = (sign === '-' ? -1 : 1) * (match[1] === '' ? 1 : Number(match[1]))
    if (match[2] === undefined) constant += factor
    else terms.push({ factor, symbol: symbols.symbol(match[2]) })
  }
  return { constant, terms }
}

function compileShape(text: string, symbols: Symbols): CompiledShape {
  const axes: number[] = []
  const sums: Sum[] = []
  let runAt = -1
  let run = -1
  for (const axis of text.split(' ').filter(Boolean)) {
    if (axis === '...' || axis.startsWith('*')) {
      if (runAt >= 0) throw new Error(`'${text}' has two runs`)
      runAt = axes.length
      run = symbols.run(axis === '...' ? axis : axis.slice(1))
    } else if (/^[A-Za-z_]\w*$/.test(axis)) {
      axes.push(symbols.symbol(axis))
    } else {
      sums.push(compileSum(axis, symbols))
      axes.push(-sums.length)
    }
  }
  return { text, axes, sums, runAt, run }
}

/** Every spelling of a shape. */
export function compileShapes(shape: Shape, symbols: Symbols): readonly CompiledShape[] {
  return (typeof shape === 'string' ? [shape] : shape).map(text => compileShape(text, symbols))
}

/** The spelling that a tensor of this rank has. */
export function spelling(
  shapes: readonly CompiledShape[],
  rank: number,
): CompiledShape | undefined {
  for (const shape of shapes) {
    if (shape.runAt < 0 ? shape.axes.length === rank : shape.axes.length <= rank) return shape
  }
  return undefined
}
