/**
 * Where the elements of an array begin and end, whatever is in them, for the reader of a chunk; pass 1
 * (split.ts) refuses arrays in which it would find other ends.
 *
 * The rules: space and commas separate elements; any other byte but a closing bracket begins one. It goes on
 * to the next comma or closing bracket that stands in no string and in nothing that the element opened; the
 * space before that is no part of it. A closing bracket between elements ends the array.
 */
import { backslash, closeBrace, closeBracket, comma, openBrace, openBracket, quote } from './scan.ts'

export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Index of the first byte that separates nothing. */
export function elementStart(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && (isSpace(bytes[at]) || bytes[at] === comma)) at++
  return at
}

/** The end without the space before it. */
export function withoutSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && isSpace(bytes[at - 1])) at--
  return at
}

/** Index of the comma or bracket that ends the element, or the end of the bytes. */
export function elementEnd(bytes: Uint8Array, start: number): number {
  let depth = 0
  let isQuoted = false
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) isQuoted = !isQuoted
    else if (isQuoted) {
      if (byte === backslash) at++
    } else if (byte === openBrace || byte === openBracket) depth++
    else if (depth > 0) {
      if (byte === closeBrace || byte === closeBracket) depth--
    } else if (byte === comma || byte === closeBracket) return at
  }
  return bytes.length
}
