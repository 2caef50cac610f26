// float16 and bfloat16 to float32: exact, since every one of their values is a float32.
import { bfloat16 } from './view.ts'

const word = new Uint32Array(1)
const float = new Float32Array(word.buffer)

function fromBfloat16(bits: number): number {
  word[0] = bits << 16
  return float[0]!
}

function fromFloat16(bits: number): number {
  const sign = (bits & 0x8000) << 16
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) {
    const magnitude = fraction * 2 ** -24
    return sign === 0 ? magnitude : -magnitude
  }
  // Infinities and NaNs keep their fraction.
  word[0] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13)
  return float[0]!
}

/**
 * `into[i]` = the value of `bits[i]`, from the front on: `bits` may lie in the upper half of `into`'s own
 * memory, for a word is read before its place is written.
 */
export function widen(bits: Uint16Array, dtype: number, into: Float32Array): void {
  const convert = dtype === bfloat16 ? fromBfloat16 : fromFloat16
  for (let i = 0; i < into.length; i++) into[i] = convert(bits[i]!)
}
