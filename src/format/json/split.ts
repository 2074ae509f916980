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
import { type Inside, insideKeys } from './inside.ts'
import { WayIn } from './into.ts'
import { LinesSplitter, passSpace } from './lines.ts'
import { closeBracket, comma, openBrace, openBracket } from './scan.ts'
import { UnitRecords } from './units.ts'
import { ValueEnd } from './value-end.ts'

/**
 * `inside`: where the records stand. To a path alone the file is one object, in which an array is looked for;
 * envelopes are elements of the file.
 */
export const jsonSplitter =
  (inside?: Inside): MakeSplitter =>
  (path) =>
    new JsonSplitter(path, inside)

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
  /** Records before the last cut. */
  #cutAt = -1
  #lines = 0
  /** LFs before the record that is open or was the last one. */
  #linesBefore = 0
  /** Bytes of space since the last record. */
  #spaces = 0
  /** Takes over if the object turns out to be the first of several lines. */
  #byLine: LinesSplitter | undefined
  /** Where the array does not stand at the beginning. */
  readonly #way: WayIn | undefined
  /** Where the records stand in an element. */
  #inside: Inside = { unwrap: [] }
  #units: UnitRecords

  constructor(path: string, inside: Inside = { unwrap: [] }) {
    this.#path = path
    if (inside.path === undefined || inside.unwrap.length > 0) this.#inside = inside
    else this.#way = new WayIn(inside.path, (what) => this.#refuse(what, this.#way?.lines))
    this.#units = new UnitRecords(this.#inside, 'elements')
  }

  get layout(): Layout {
    return this.#byLine?.layout ?? { format: 'json', fields: [], ...insideKeys(this.#inside) }
  }

  get isPastHead(): boolean {
    return this.#state !== 'head'
  }

  get isPastRecords(): boolean {
    return this.#state === 'end' && this.#way !== undefined && this.#records === this.#cutAt
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
    if (this.#way !== undefined) return this.#beginWithin(this.#way, start)
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

  #beginWithin(way: WayIn, from: number): number {
    const at = way.find(this.#piece, from)
    this.#lines = way.lines
    if (at < 0) return this.#piece.length
    this.#isArray = true
    this.#state = 'first'
    if (way.rest.length > 0) this.#inside = { path: way.rest, unwrap: [] }
    this.#units = new UnitRecords(this.#inside, 'elements')
    return at
  }

  cut(from: number, min: number): number {
    if (this.#byLine !== undefined) return this.#byLine.cut(from, min)
    const piece = this.#piece
    for (let at = from; at < piece.length;) {
      if (this.#state === 'value') {
        const end = this.#endOfValue(at)
        if (end < 0) return -1
        at = end
        // After an object, the next byte that is no space decides: end, further lines, or a fault.
        if (this.#isArray && at >= min) return this.#cutOff(at)
        continue
      }
      if (this.#state === 'end' && this.#way !== undefined) {
        // What stands behind the array belongs to no chunk, and may be of any size.
        if (this.#records > this.#cutAt) return this.#cutOff(at)
        return this.#leave(this.#way, at)
      }
      const byte = piece[at] as number
      if (byte === lf) this.#lines++
      if (isSpace(byte)) {
        at++
        this.#spaces++
      } else if (this.#state === 'end' && !this.#isArray && this.#isSecondLine()) {
        this.#byLine = new LinesSplitter(this.#path, {
          counted: { records: this.#records, lines: this.#lines },
          inside: this.#inside,
        })
        this.#byLine.begin(piece)
        return at >= min ? at : this.#byLine.cut(at, min)
      } else at = this.#pass(byte, at)
    }
    if (this.#spaces > maxRecordBytes) this.#refuse('more than a record may have is space')
    return -1
  }

  #cutOff(at: number): number {
    this.#cutAt = this.#records
    return at
  }

  /** Passes over what stands behind the array. */
  #leave(way: WayIn, from: number): -1 {
    way.lines = this.#lines
    way.passRest(this.#piece, from)
    this.#lines = way.lines
    return -1
  }

  finish(): void {
    if (this.#byLine !== undefined) return this.#byLine.finish()
    if (this.#state === 'value') {
      const what = this.#isArray ? 'element' : 'object'
      this.#refuse(`the ${what} that begins here is never closed`, this.#linesBefore)
    }
    const isCut = this.#way?.isAtEnd === false
    if (this.#state === 'head' && !isCut) this.#state = 'end'
    if (isCut && (this.#state === 'head' || this.#state === 'end'))
      this.#refuse('the file ends before the array that --records names, or inside of the objects around it')
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
    this.#spaces = 0
    this.#value.begin(byte)
    this.#units.begin()
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
    this.#units.add(this.#piece, from, end < 0 ? this.#piece.length : end)
    if (end < 0) return end
    this.#records += this.#units.count()
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
