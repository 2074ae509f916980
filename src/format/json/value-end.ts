import { lf } from '../../core/bytes.ts'
import { isSpace } from './elements.ts'
import { backslash, closeBrace, closeBracket, comma, openBrace, openBracket, quote } from './scan.ts'

/** Finds the end of a value, which may lie in several pieces, by its brackets and quotes. */
export class ValueEnd {
  /** Of the value so far, and the LFs in it. */
  bytes = 0
  lines = 0
  /** Of the string that is open at the end of the piece. */
  stringBytes = 0
  /** Neither string, object nor array: it ends with the first byte that cannot be a part of it. */
  #isWord = false
  #depth = 0
  #isQuoted = false
  #isEscaped = false

  /** Begins with a value of this first byte, which `find` sees as well. */
  begin(first: number): void {
    this.bytes = 0
    this.lines = 0
    this.stringBytes = 0
    this.#isWord = first !== openBrace && first !== openBracket && first !== quote
    this.#depth = 0
    this.#isQuoted = false
    this.#isEscaped = false
  }

  /** Index after the value, or -1 if the piece ends before it. */
  find(piece: Buffer, from: number): number {
    const end = this.#isWord ? endOfWord(piece, from) : this.#endOfParts(piece, from)
    this.bytes += (end < 0 ? piece.length : end) - from
    return end
  }

  #endOfParts(piece: Buffer, from: number): number {
    const { length } = piece
    let at = from
    let depth = this.#depth
    let isQuoted = this.#isQuoted
    let isClosed = false
    let opened = from - this.stringBytes
    if (this.#isEscaped && piece[at++] === lf) this.lines++
    while (at < length && !isClosed) {
      const byte = piece[at++]
      if (byte === lf) this.lines++
      else if (byte === quote) {
        isQuoted = !isQuoted
        opened = at
        isClosed = !isQuoted && depth === 0
      } else if (isQuoted) {
        if (byte === backslash && piece[at++] === lf) this.lines++
      } else if (byte === openBrace || byte === openBracket) depth++
      else if (byte === closeBrace || byte === closeBracket) isClosed = --depth === 0
    }
    // An escape may be cut in two.
    this.#isEscaped = at > length
    this.#depth = depth
    this.#isQuoted = isQuoted
    this.stringBytes = isQuoted ? length - opened : 0
    return isClosed ? at : -1
  }
}

const endsWord = (byte: number): boolean =>
  isSpace(byte) || [comma, quote, openBrace, closeBrace, openBracket, closeBracket].includes(byte)

function endOfWord(piece: Buffer, from: number): number {
  const end = piece.subarray(from).findIndex(endsWord)
  return end < 0 ? -1 : from + end
}
