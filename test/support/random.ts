// Seeded random numbers and tensors: a failing test names its seed and can be run again alone.
import { type Dense, float32, sizeOf, uint8 } from './tensors.ts'

export class Random {
  #state: number

  /** The same words give the same numbers, whatever other tests exist. */
  constructor(...seed: readonly (string | number)[]) {
    let hash = 0x811c9dc5 // FNV-1a
    for (const char of seed.join('/')) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    this.#state = hash >>> 0
  }

  /** Uniform in [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number in [from, to], both ends included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  boolean(chance = 0.5): boolean {
    return this.next() < chance
  }

  choose<T>(options: readonly T[]): T {
    return options[this.integer(0, options.length - 1)]!
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return radius * Math.cos(2 * Math.PI * this.next())
  }

  tensor(shape: readonly number[], scale = 1, shift = 0): Dense<Float32Array> {
    return float32(shape, () => shift + scale * this.normal()) as Dense<Float32Array>
  }

  mask(shape: readonly number[], visible = 0.7): Dense {
    return uint8(shape, () => this.boolean(visible))
  }

  integers(shape: readonly number[], from: number, to: number): Dense {
    return { data: Int32Array.from({ length: sizeOf(shape) }, () => this.integer(from, to)), shape }
  }
}
