/**
 * Pass 1 over a JSON file: an array, whose elements are the records; a single object, which is one record; or
 * objects one a line, which many such files hold.
 *
 * The structure must be sound: brackets close, one comma stands between two elements, nothing follows the
 * end. Brackets and quotes alone decide where an element ends, so a bad element is still one record, which
 * the reader rejects. In every array that passes, the reader finds the same elements (elements.ts).
 */
import { lf } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import { type Layout, maxRecordBytes } from '../../core/load.ts'
import type { MakeSplitter, Splitter } from '../split.ts'
import { markBytes } from '../text.ts'
import { isSpace } from './elements.ts'
import { LinesSplitter, passSpace } from './lines.ts'
import { backslash, closeBrace, closeBracket, comma, openBrace, openBracket, quote } from './scan.ts'

export const jsonSplitter = (): MakeSplitter => (path) => new JsonSplitter(path)

type State =
  /** Before the array, the object, or anything. */
  | 'head'
  /** After the opening bracket: an element or the closing bracket is expected. */
  | 'first'
  /** After a comma. */
  | 'next'
  /** In a record. */
  | 'value'
  /** After an element. */
  | 'separator'
  /** After the array or the object. */
  | 'end'

class JsonSplitter implements Splitter {
  readonly #path: string
  readonly #value = new ValueEnd()
  #piece: Buffer = Buffer.alloc(0)
  #state: State = 'head'
  #isArray = false
  #records = 0
  #lines = 0
  /** LFs before the record that is open or was the last one. */
  #linesBefore = 0
  /** Takes over if the object turns out to be the first of several lines. */
  #byLine: LinesSplitter | undefined

  constructor(path: string) {
    this.#path = path
  }

  get layout(): Layout {
    return this.#byLine?.layout ?? { format: 'json', fields: [] }
  }

  get isPastHead(): boolean {
    return this.#state !== 'head'
  }

  get records(): number {
    return this.#byLine?.records ?? this.#records
  }

  get lines(): number {
    return this.#byLine?.lines ?? this.#lines
  }

  begin(piece: Buffer): number {
    if (this.#byLine !== undefined) return this.#byLine.begin(piece)
    const isFirst = this.#piece.length === 0
    this.#piece = piece
    if (this.#state !== 'head') return 0
    const start = isFirst ? markBytes(piece, this.#path) : 0
    const at = passSpace(piece, start)
    for (let each = start; each < at; each++) if (piece[each] === lf) this.#lines++
    if (at === piece.length) return at
    this.#isArray = piece[at] === openBracket
    if (!this.#isArray && piece[at] !== openBrace)
      this.#refuse(
        'neither an array nor an object begins here; the suffix may say another format than there is',
      )
    this.#state = this.#isArray ? 'first' : 'next'
    return this.#isArray ? at + 1 : at
  }

  cut(from: number, min: number): number {
    const piece = this.#piece
    for (let at = from; at < piece.length;) {
      if (this.#byLine !== undefined) return this.#byLine.cut(at, min)
      if (this.#state === 'value') {
        const end = this.#endOfValue(at)
        if (end < 0) return -1
        at = end
        // After an object, the next byte that is no space decides: end, further lines, or a fault.
        if (this.#isArray && at >= min) return at
        continue
      }
      const byte = piece[at] as number
      if (byte === lf) this.#lines++
      if (isSpace(byte)) at++
      else if (this.#state === 'end' && !this.#isArray && this.#isSecondLine()) {
        this.#byLine = new LinesSplitter(this.#path, { records: this.#records, lines: this.#lines })
        this.#byLine.begin(piece)
        if (at >= min) return at
      } else at = this.#pass(byte, at)
    }
    return -1
  }

  finish(): void {
    if (this.#byLine !== undefined) return this.#byLine.finish()
    if (this.#state === 'value') {
      const what = this.#isArray ? 'element' : 'object'
      this.#refuse(`the ${what} that begins here is never closed`, this.#linesBefore)
    }
    if (this.#state === 'head') this.#state = 'end'
    if (this.#state !== 'end') this.#refuse('the file ends before the bracket that closes its array')
  }

  /** Passes over what stands between records, or begins one; returns where to go on. */
  #pass(byte: number, at: number): number {
    const state = this.#state
    if (state === 'end')
      this.#refuse(
        this.#isArray
          ? 'more follows the array'
          : 'more follows the object: put one object on each line (jq -c .)',
      )
    if (byte === closeBracket && state !== 'next') {
      this.#state = 'end'
      return at + 1
    }
    if (state === 'separator') {
      if (byte !== comma) this.#refuse('a comma or a closing bracket is expected between elements')
      this.#state = 'next'
      return at + 1
    }
    if (byte === comma || byte === closeBracket) this.#refuse('an element is expected before this')
    this.#state = 'value'
    this.#linesBefore = this.#lines
    this.#value.begin(byte)
    return at
  }

  /** Index after the record that is open, -1 if the piece ends before it. */
  #endOfValue(from: number): number {
    const value = this.#value
    const end = value.find(this.#piece, from)
    this.#lines = this.#linesBefore + value.lines
    if (value.bytes > maxRecordBytes) {
      const limit = `${maxRecordBytes / 1024 / 1024} MiB`
      const where = `${this.#path}:${this.#linesBefore + 1}`
      throw new LadingError(
        'RECORD_TOO_LARGE',
        `${where}: the record that begins here is larger than ${limit}; is a quote or a bracket never closed?`,
      )
    }
    if (end < 0) return end
    this.#records++
    this.#state = this.#isArray ? 'separator' : 'end'
    return end
  }

  /** Whether the object was a line of its own, and its line has ended. */
  #isSecondLine(): boolean {
    return this.#value.lines === 0 && this.#lines > this.#linesBefore
  }

  #refuse(what: string, linesBefore = this.#lines): never {
    throw new LadingError('SOURCE_MALFORMED', `${this.#path}:${linesBefore + 1}: ${what}`)
  }
}

/** Finds the end of a value, which may lie in several pieces, by its brackets and quotes. */
class ValueEnd {
  /** Of the value so far, and the LFs in it. */
  bytes = 0
  lines = 0
  /** Neither string, object nor array: it ends with the first byte that cannot be a part of it. */
  #isWord = false
  #depth = 0
  #isQuoted = false
  #isEscaped = false

  /** Begins with a value of this first byte, which `find` sees as well. */
  begin(first: number): void {
    this.bytes = 0
    this.lines = 0
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
    if (this.#isEscaped && piece[at++] === lf) this.lines++
    while (at < length && !isClosed) {
      const byte = piece[at++]
      if (byte === lf) this.lines++
      else if (byte === quote) {
        isQuoted = !isQuoted
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
    return isClosed ? at : -1
  }
}

const endsWord = (byte: number): boolean =>
  isSpace(byte) || [comma, quote, openBrace, closeBrace, openBracket, closeBracket].includes(byte)

function endOfWord(piece: Buffer, from: number): number {
  const end = piece.subarray(from).findIndex(endsWord)
  return end < 0 ? -1 : from + end
}
