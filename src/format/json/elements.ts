/**
 * Where the elements of an array begin and end, whatever is in them: the boundaries that pass 1 and the
 * reader of a chunk share.
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

/** Finds the end of an element, which may lie in several pieces; a new one for each element. */
export class ElementEnd {
  #depth = 0
  #inString = false
  #isEscaped = false

  /** Index of the comma or bracket that ends the element; the piece's length where it goes on behind that. */
  find(piece: Uint8Array, from: number): number {
    let at = from
    for (; at < piece.length; at++) {
      const byte = piece[at]
      if (this.#isEscaped) this.#isEscaped = false
      else if (this.#inString) {
        if (byte === backslash) this.#isEscaped = true
        else if (byte === quote) this.#inString = false
      } else if (byte === quote) this.#inString = true
      else if (byte === openBrace || byte === openBracket) this.#depth++
      else if (this.#depth > 0) {
        if (byte === closeBrace || byte === closeBracket) this.#depth--
      } else if (byte === comma || byte === closeBracket) break
    }
    return at
  }
}
