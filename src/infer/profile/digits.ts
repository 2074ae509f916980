/** Digits, four at a time: a word is four bytes, the first of them the lowest. */
import { isDigit } from '../../core/bytes.ts'

const zeros = 0x30_30_30_30

/**
 * 0 for a word of four digits. Else the lowest bit that is set lies in the first byte that is none: a digit and a
 * digit plus six have the same high half, and no other byte has that of a digit both times.
 */
export const flawOf = (word: number): number => ((word & (word + 0x06_06_06_06)) ^ zeros) & 0xf0_f0_f0_f0

/** The number of four digits. */
export function fourDigits(word: number): number {
  const digits = word & 0x0f_0f_0f_0f
  const pairs = Math.imul(digits, 10) + (digits >>> 8)
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff)
}

/** The word with zeros instead of the bytes that the mask lacks. */
export const masked = (word: number, mask: number): number => (word & mask) | (zeros & ~mask)

/** Index behind the digits that begin at `start`; `limit` at most. */
export function digitsEnd(bytes: Buffer, view: DataView, start: number, limit: number): number {
  let at = start
  for (; at + 4 <= limit; at += 4) {
    const flaw = flawOf(view.getInt32(at, true))
    if (flaw !== 0) return at + ((31 - Math.clz32(flaw & -flaw)) >>> 3)
  }
  while (at < limit && isDigit(bytes[at] as number)) at++
  return at
}
