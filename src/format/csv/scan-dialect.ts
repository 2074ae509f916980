/**
 * Finds where records end that are written in other ways than RFC 4180 has them. Its rules are those of
 * `RecordScanner` and, to the byte, those of `DialectReader`:
 * - the byte behind a backslash is data, also a delimiter, a quote or an LF;
 * - a line that begins with the comment character where a record would begin is none, and an empty line there
 *   is none either;
 * - spaces and tabs before a quote do not keep it from opening a cell;
 * - where no cell goes on in the next line, an LF that no backslash makes data ends a record, in quotes, too.
 */
import { cr, lf, space, tab } from '../../core/bytes.ts'
import { maxRecordBytes } from '../../core/load.ts'
import { byteOf, endKind, escapeKind, kindsOf } from './cells.ts'
import type { RecordDialect } from './dialect.ts'
import type { Scanner } from './scan.ts'

/** Where a record may begin, and a comment. */
const beginning = 0
/** At the first byte of a cell, or after spaces before it. */
const opening = 1
/** In an unquoted cell, or after a closing quote. */
const literal = 2
const quoted = 3
/** After a quote within quotes: the closing one, or the first of a doubled one. */
const closing = 4
/** After a backslash. */
const literalEscape = 5
const quotedEscape = 6
const comment = 7
/** After a CR where a record may begin: an empty line, if LF follows. */
const emptyLine = 8

export class DialectScanner implements Scanner {
  records = 0
  lines = 0
  comments = 0
  recordBytes = 0
  oversizeLine: number | undefined
  #state = beginning
  /** The byte before the piece. */
  #before = 0
  #openLine = 0
  readonly #kinds: Uint8Array
  readonly #quote: number
  readonly #comment: number
  readonly #trims: boolean
  /** Whether an LF ends a record in quotes, too. */
  readonly #isOneLine: boolean

  constructor(dialect: RecordDialect) {
    this.#kinds = kindsOf(dialect)
    this.#quote = byteOf(dialect.quote)
    this.#comment = byteOf(dialect.comment)
    this.#trims = dialect.trim === true
    this.#isOneLine = dialect.multiline === false
  }

  cut(piece: Uint8Array, from: number, min: number): number {
    const kinds = this.#kinds
    let start = from - this.recordBytes
    let at = from
    let cut = -1
    while (at < piece.length && cut === -1) {
      const byte = piece[at++] as number
      if (byte === lf) this.lines++
      if (this.#takes(byte)) {
        if (this.#state === beginning || this.#state === comment) start = at
      } else if (byte === lf) {
        this.records++
        this.#endLarge(at - start - 1, at < 2 ? this.#before : piece[at - 2], this.lines)
        this.#state = beginning
        start = at
        if (at >= min) cut = at
      } else {
        this.#state = this.#after(byte, kinds[byte] as number)
        if (this.#state === literal) while (at < piece.length && kinds[piece[at] as number] === 0) at++
      }
    }
    this.recordBytes = at - start
    if (cut === -1) this.#before = piece.at(-1) ?? this.#before
    return cut
  }

  get openQuoteLine(): number | undefined {
    const isOpen = this.#state === quoted || this.#state === quotedEscape
    return isOpen && !this.#isOneLine ? this.#openLine : undefined
  }

  finish(): { readonly unclosedQuoteLine?: number } {
    const unclosed = this.openQuoteLine
    if (this.#state === comment || this.#state === emptyLine) this.comments++
    else if (this.recordBytes > 0) this.records++
    this.#endLarge(this.recordBytes, this.#before, this.lines + 1)
    this.recordBytes = 0
    this.#state = beginning
    return unclosed === undefined ? {} : { unclosedQuoteLine: unclosed }
  }

  /** Whether the byte means nothing outside of where it stands: quotes, comments, behind a backslash. */
  #takes(byte: number): boolean {
    switch (this.#state) {
      case quoted:
        if (byte === lf && this.#isOneLine) return false
        if (byte === this.#quote) this.#state = closing
        else if (this.#kinds[byte] === escapeKind) this.#state = quotedEscape
        return true
      case quotedEscape:
        this.#state = quoted
        return true
      case literalEscape:
        this.#state = literal
        return true
      case comment:
        if (byte === lf) this.#endComment()
        return true
      case emptyLine:
        if (byte === lf) this.#endComment()
        // The CR was data.
        else this.#state = literal
        return byte === lf
      case beginning:
        return this.#comment >= 0 && this.#beginsNone(byte)
      default:
        return false
    }
  }

  /** Whether the byte, where a record may begin, begins none. */
  #beginsNone(byte: number): boolean {
    if (byte === this.#comment) this.#state = comment
    else if (byte === lf) this.#endComment()
    else if (byte === cr) this.#state = emptyLine
    else return false
    return true
  }

  #endComment(): void {
    this.comments++
    this.#state = beginning
  }

  /** The state after a byte outside of quotes. */
  #after(byte: number, kind: number): number {
    const state = this.#state
    if (kind === endKind) return opening
    if (kind === escapeKind) return literalEscape
    const mayOpen = state === beginning || state === opening
    if (byte === this.#quote && state !== literal) {
      if (mayOpen) this.#openLine = this.lines + 1
      return quoted
    }
    return this.#trims && mayOpen && (byte === space || byte === tab) ? opening : literal
  }

  /** A record that is too large unless the last of its bytes is a CR, which belongs to the line end. */
  #endLarge(bytes: number, last: number | undefined, line: number): void {
    if (bytes > maxRecordBytes + (last === cr ? 1 : 0)) this.oversizeLine ??= line
  }
}
