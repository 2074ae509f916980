/**
 * Finds where records end in a stream of bytes, without looking at cells.
 *
 * The rules, which `RecordReader` must follow to the byte:
 * - a record ends at an LF outside quotes; a CR before it belongs to the line end, so does one at the very
 *   end of the file, any other CR is data;
 * - a quote opens only as the first byte of a cell; anywhere else in an unquoted cell it is a literal byte,
 *   so that a stray quote damages one record and never the rest of the file;
 * - in quotes, a doubled quote is a literal one; whatever follows the closing quote goes on unquoted to the
 *   next delimiter or LF.
 */
import { cr, lf } from '../../core/bytes.ts'
import { maxRecordBytes } from '../../core/load.ts'
import { countLines, hasByte } from './bytes.ts'
import type { RecordDialect } from './dialect.ts'

/** At the first byte of a cell. */
const opening = 0
/** In an unquoted cell, or after a closing quote. */
const literal = 1
const quoted = 2
/** After a quote within quotes: the closing one, or the first of a doubled one. */
const closing = 3

/** Bytes looked at together: a quote costs the fast path no more than this. */
const windowBytes = 8192

/** Sees a file from its start to its end, and counts its records and lines. */
export interface Scanner {
  records: number
  lines: number
  readonly recordBytes: number
  readonly oversizeLine: number | undefined
  readonly openQuoteLine: number | undefined
  /** Lines that are no records: comments, and the empty ones among them. */
  readonly comments: number
  cut(piece: Uint8Array, from: number, min: number): number
  finish(): { readonly unclosedQuoteLine?: number }
}

/**
 * Finds the ends of records in pieces of a file, and counts records and lines; one scanner sees the file from
 * its start to its end.
 */
export class RecordScanner implements Scanner {
  readonly comments = 0
  /** Complete records since construction. */
  records = 0
  /** LF bytes since construction, those in quotes included. */
  lines = 0
  /** Bytes of the record that is still open, so that the caller can refuse one that never ends. */
  recordBytes = 0
  /** The line (1-based) on which the first record ended that is larger than `maxRecordBytes`. */
  oversizeLine: number | undefined
  #state = opening
  /** The byte before the piece. */
  #before = 0
  #openLine = 0
  readonly #delimiter: number
  readonly #quote: number

  constructor(dialect: Pick<RecordDialect, 'delimiter' | 'quote'>) {
    this.#delimiter = dialect.delimiter.charCodeAt(0)
    this.#quote = dialect.quote.charCodeAt(0)
  }

  /**
   * Scans `piece` on from index `from`: the index just after the first record that ends at `min` or beyond,
   * or -1 when the piece is used up without one. Call again with the returned index as `from` to go on, or
   * with the next piece.
   */
  cut(piece: Uint8Array, from: number, min: number): number {
    // No record that ends within these bytes can be the one asked for, so they need only be counted.
    const bulkEnd = Math.min(min - 1, piece.length)
    let at = from
    while (at < bulkEnd) {
      const end = Math.min(at + windowBytes, bulkEnd)
      const mayGrowTooLarge = this.recordBytes > maxRecordBytes - windowBytes
      if (mayGrowTooLarge || hasByte(piece, this.#quote, at, end)) this.#walk(piece, at, end, min)
      else this.#skip(piece, at, end)
      at = end
    }
    const cut = this.#walk(piece, at, piece.length, min)
    if (cut === -1) this.#before = piece.at(-1) ?? this.#before
    return cut
  }

  /** The line (1-based) on which the quote opened that is still open; undefined outside of quotes. */
  get openQuoteLine(): number | undefined {
    return this.#state === quoted ? this.#openLine : undefined
  }

  /**
   * Ends the input: counts a last record without a newline, and says on which line (1-based) a quote opened
   * that never closed.
   */
  finish(): { readonly unclosedQuoteLine?: number } {
    const unclosed = this.openQuoteLine
    if (this.recordBytes > 0) this.records++
    this.#endLarge(this.recordBytes, this.#before, this.lines + 1)
    this.recordBytes = 0
    this.#state = opening
    return unclosed === undefined ? {} : { unclosedQuoteLine: unclosed }
  }

  /**
   * Passes over bytes that hold no quote: every LF ends a record or none does, and the last byte alone tells
   * the state.
   */
  #skip(piece: Uint8Array, from: number, to: number): void {
    const lines = countLines(piece, from, to)
    this.lines += lines
    this.recordBytes += to - from
    if (this.#state === quoted) return
    this.records += lines
    if (lines > 0) this.recordBytes = to - 1 - lastLine(piece, to)
    const last = piece[to - 1]
    this.#state = last === lf || last === this.#delimiter ? opening : literal
  }

  /** A record that is too large unless the last of its bytes is a CR, which belongs to the line end. */
  #endLarge(bytes: number, last: number | undefined, line: number): void {
    if (bytes > maxRecordBytes + (last === cr ? 1 : 0)) this.oversizeLine ??= line
  }

  /**
   * Passes over bytes one at a time; stops just after a record that ends at `min` or beyond, else returns -1
   * at `to`.
   */
  #walk(piece: Uint8Array, from: number, to: number, min: number): number {
    const delimiter = this.#delimiter
    const quote = this.#quote
    const top = Math.max(delimiter, lf)
    let { lines, records } = this
    let state = this.#state
    let start = from - this.recordBytes
    let cut = -1
    let at = from
    while (at < to) {
      let byte = piece[at++]
      if (state === quoted) {
        // A loop of its own, and one load per byte: half as fast again as going round the large one.
        while (byte !== quote && at < to) {
          if (byte === lf) lines++
          byte = piece[at++]
        }
        if (byte === quote) state = closing
        else if (byte === lf) lines++
        continue
      }
      if (byte === lf) {
        lines++
        records++
        state = opening
        if (at - start > maxRecordBytes + 1)
          this.#endLarge(at - start - 1, at < 2 ? this.#before : piece[at - 2], lines)
        start = at
        if (at >= min) {
          cut = at
          break
        }
      } else if (byte === delimiter) {
        state = opening
      } else if (byte === quote && state !== literal) {
        if (state === opening) this.#openLine = lines + 1
        state = quoted
      } else {
        state = literal
        while (at < to && (piece[at] as number) > top) at++
      }
    }
    this.lines = lines
    this.records = records
    this.recordBytes = at - start
    this.#state = state
    return cut
  }
}

function lastLine(piece: Uint8Array, to: number): number {
  let at = to - 1
  while (piece[at] !== lf) at--
  return at
}

/**
 * Whether the first record of a file holds a CR that ends no line, outside quotes: then CR alone ends the
 * lines, as it looks.
 */
export class LoneCrSearch {
  found = false
  readonly #quote: number
  #quoted = false
  #afterCr = false
  #over = false

  constructor({ quote }: Pick<RecordDialect, 'quote'>) {
    this.#quote = quote.charCodeAt(0)
  }

  /** Takes the next bytes of the file. A CR at its very end is a line end. */
  push(piece: Uint8Array): void {
    if (this.#over) return
    const quote = this.#quote
    let isQuoted = this.#quoted
    let afterCr = this.#afterCr
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] as number
      if (afterCr && byte !== lf) this.found = true
      if (this.found || (byte === lf && !isQuoted)) {
        this.#over = true
        return
      }
      afterCr = byte === cr && !isQuoted
      if (byte === quote) isQuoted = !isQuoted
    }
    this.#quoted = isQuoted
    this.#afterCr = afterCr
  }
}
