// Whether strided views touch the same bytes: an exact answer, as the bounded linear Diophantine problem
// that it is. Ranges that lie apart and dense layouts never come here (outputs.ts sees to that).

/** `coefficient * x` with x in 0..bound. */
interface Term {
  coefficient: number
  bound: number
}

// Nodes of the search after which the answer is taken to be yes. Layouts met in practice need fewer
// than a hundred; the limit is for adversarial strides, where refusing is the safe side (~10 ms).
const searchLimit = 100_000

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}

/** x in 0..modulus-1 with a * x = b (mod modulus), for gcd(a, modulus) = 1. */
function solveCongruence(a: number, b: number, modulus: number): number {
  let [r0, r1] = [BigInt(modulus), BigInt(a % modulus)]
  let [t0, t1] = [0n, 1n]
  while (r1 !== 0n) {
    const q = r0 / r1
    ;[r0, r1] = [r1, r0 - q * r1]
    ;[t0, t1] = [t1, t0 - q * t1]
  }
  const m = BigInt(modulus)
  return Number((((t0 * BigInt(b)) % m) + m) % m)
}

/**
 * Whether sum(coefficient_i * x_i) = target has a solution with x_i in 0..bound_i. Coefficients are
 * positive, distinct and in descending order. With `otherThan` the solution x_i = otherThan_i does not
 * count. Depth first: the largest coefficient first, its x limited to what the smaller ones can make
 * up for and, by their greatest common divisor, to one residue class.
 */
function solvable(terms: readonly Term[], target: number, otherThan?: readonly number[]): boolean {
  const n = terms.length
  if (n === 0) return target === 0 && otherThan === undefined
  const reach: number[] = new Array(n + 1).fill(0)
  const divisor: number[] = new Array(n + 1).fill(0)
  for (let i = n - 1; i >= 0; i--) {
    reach[i] = reach[i + 1]! + terms[i]!.coefficient * terms[i]!.bound
    divisor[i] = gcd(terms[i]!.coefficient, divisor[i + 1]!)
  }
  let nodes = 0
  const search = (i: number, rest: number, excluded: boolean): boolean => {
    if (++nodes > searchLimit) return true
    if (rest < 0 || rest > reach[i]! || rest % divisor[i]! !== 0) return false
    const { coefficient, bound } = terms[i]!
    if (i === n - 1) {
      // `rest` is within reach and divisible, so this is a solution.
      return !(excluded && rest / coefficient === otherThan?.[i])
    }
    const g = divisor[i]!
    const step = divisor[i + 1]! / g
    const first = Math.max(0, Math.ceil((rest - reach[i + 1]!) / coefficient))
    const last = Math.min(bound, Math.floor(rest / coefficient))
    const residue = step === 1 ? 0 : solveCongruence(coefficient / g, (rest / g) % step, step)
    for (let x = first + ((((residue - first) % step) + step) % step); x <= last; x += step) {
      if (search(i + 1, rest - x * coefficient, excluded && x === otherThan?.[i])) return true
    }
    return false
  }
  return search(0, target, otherThan !== undefined)
}

/** Terms with their coefficients distinct and in descending order. */
function normalise(terms: Term[]): Term[] {
  terms.sort((a, b) => b.coefficient - a.coefficient)
  const merged: Term[] = []
  for (const { coefficient, bound } of terms) {
    const before = merged.at(-1)
    if (before?.coefficient === coefficient) before.bound += bound
    else merged.push({ coefficient, bound })
  }
  return merged
}

/** What the tests below need of a view: a box of `rank` axes over bytes `low` up to `high` of a buffer. */
export interface Box {
  readonly rank: number
  readonly shape: ArrayLike<number>
  /** In elements. */
  readonly strides: ArrayLike<number>
  readonly elementBytes: number
  readonly low: number
  readonly high: number
}

function termsOf(box: Box): Term[] {
  const terms: Term[] = []
  for (let axis = 0; axis < box.rank; axis++) {
    const bound = box.shape[axis]! - 1
    const coefficient = Math.abs(box.strides[axis]!) * box.elementBytes
    if (bound > 0 && coefficient > 0) terms.push({ coefficient, bound })
  }
  return terms
}

/** Whether two elements of a view with at least one element share an address. */
export function overlapsItself(box: Box): boolean {
  const terms: Term[] = []
  for (let axis = 0; axis < box.rank; axis++) {
    const bound = box.shape[axis]! - 1
    if (bound <= 0) continue
    if (box.strides[axis] === 0) return true
    terms.push({ coefficient: Math.abs(box.strides[axis]!), bound })
  }
  terms.sort((a, b) => a.coefficient - b.coefficient)
  let reach = 0
  let nested = true
  for (const { coefficient, bound } of terms) {
    if (coefficient <= reach) nested = false
    reach += coefficient * bound
  }
  if (nested) return false
  for (let i = 1; i < terms.length; i++) {
    if (terms[i]!.coefficient === terms[i - 1]!.coefficient) return true
  }
  // Two index vectors meet where their difference d, |d_i| <= bound_i, is not zero and has
  // sum(coefficient_i * d_i) = 0; shifted by the bounds, x = d + bound, that is the problem above.
  terms.reverse()
  const bounds = terms.map(term => term.bound)
  const doubled = terms.map(({ coefficient, bound }) => ({ coefficient, bound: 2 * bound }))
  return solvable(doubled, reach, bounds)
}

/** Whether two views of the same buffer, each with at least one element, share a byte. */
export function overlap(a: Box, b: Box): boolean {
  if (a.low >= b.high || b.low >= a.high) return false
  // Address of a = address of b, with b's indices counted from the far end so that all signs agree:
  // sum(a terms) + byte of a + sum(b terms reversed) + byte of b reversed = b.high - 1 - a.low.
  const terms = [...termsOf(a), ...termsOf(b)]
  const bytes = a.elementBytes + b.elementBytes - 2
  if (bytes > 0) terms.push({ coefficient: 1, bound: bytes })
  return solvable(normalise(terms), b.high - 1 - a.low)
}
