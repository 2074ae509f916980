/** Doubles from digits: exact to the last bit, or NaN. */

const ZERO = 48
const PLUS = 43
const MINUS = 45
const POINT = 46
const LOWER_E = 101

/**
 * Powers of ten that are exact in a double, also split into halves of 26 bits with exact products (Veltkamp).
 */
const powers = Array.from({ length: 23 }, (_, power) => 10 ** power)
const splitter = 2 ** 27 + 1
const headOf = (value: number): number => value * splitter - (value * splitter - value)
const powerHeads = powers.map(headOf)
const powerTails = powers.map((power) => power - headOf(power))

/** Exceeds the rounding error of the correction below: two roundings of 2^-53 each. */
const doubt = 2 ** -50

/**
 * The double nearest to a decimal number, exponent included. NaN if this method cannot tell: the bytes may
 * not be a number, have more than 18 digits, or need a power of ten beyond 10^22. Shortest forms have up to
 * 17 digits (27.300000000000001), so they are read here without a string.
 */
export function exactDouble(bytes: Buffer, start: number, end: number): number {
  const sign = bytes[start]
  const first = sign === MINUS || sign === PLUS ? start + 1 : start
  // The digits are `high * 10^lowDigits + low`: V8 adds 32-bit integers three times as fast as doubles.
  let high = 0
  let low = 0
  let lowDigits = 0
  let point = -1
  let at = first
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit >= 0 && digit <= 9) {
      if (high < 100_000_000) high = (Math.imul(high, 10) + digit) | 0
      else {
        low = (Math.imul(low, 10) + digit) | 0
        lowDigits++
      }
    } else if (digit === POINT - ZERO && point < 0) point = at
    else break
  }
  if (lowDigits > 9) return Number.NaN
  const pointBytes = point < 0 ? 0 : 1
  if (at - first <= pointBytes) return Number.NaN
  const scale = (point < 0 ? 0 : at - point - 1) - (at === end ? 0 : smallExponent(bytes, at, end))
  const value = scaled(high * (powers[lowDigits] as number), low, scale)
  return sign === MINUS ? -value : value
}

/** The exponent `e…` from `at` to the end, of at most three digits; NaN if there is none. */
function smallExponent(bytes: Buffer, at: number, end: number): number {
  if (((bytes[at] as number) | 0x20) !== LOWER_E) return Number.NaN
  const sign = bytes[at + 1]
  const first = sign === MINUS || sign === PLUS ? at + 2 : at + 1
  if (first >= end || end - first > 3) return Number.NaN
  let value = 0
  for (let next = first; next < end; next++) {
    const digit = (bytes[next] as number) - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return sign === MINUS ? -value : value
}

/**
 * The double nearest to `(head + low) / 10^scale`, or NaN. `head` is a whole number below 10^9 times a power
 * of ten up to 10^9. It is exact: of the power's factors 2 and 5, only the fives need mantissa bits, and
 * 10^9 * 5^9 < 2^53.
 */
function scaled(head: number, low: number, scale: number): number {
  const digits = head + low
  if (!(scale >= 0 && scale <= 22)) {
    return scale < 0 && scale >= -22 && digits <= Number.MAX_SAFE_INTEGER
      ? digits * (powers[-scale] as number)
      : Number.NaN
  }
  const power = powers[scale] as number
  const near = digits / power
  // Two exact doubles and one correctly rounded operation (Clinger 1990).
  if (digits <= Number.MAX_SAFE_INTEGER) return near
  // What `digits` lost, and its remainder after subtracting `near * power`: both exact (Dekker 1971).
  const lost = low - (digits - head)
  const nearHead = near * splitter - (near * splitter - near)
  const nearTail = near - nearHead
  const powerHead = powerHeads[scale] as number
  const powerTail = powerTails[scale] as number
  const product = near * power
  const productLost =
    nearHead * powerHead - product + nearHead * powerTail + nearTail * powerHead + nearTail * powerTail
  const left = digits - product - productLost
  const correction = (left + lost) / power
  // The number lies between these bounds. If they differ, it is too close to the middle of two doubles.
  const least = near + correction * (1 - doubt)
  const most = near + correction * (1 + doubt)
  return least === most ? most : Number.NaN
}
