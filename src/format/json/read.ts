/**
 * Reads the records of a message: one object, an array of objects, or objects one a line (NDJSON). As with
 * CSV nothing is allocated for a record: one reader is pulled through one message after the other, and its
 * fields describe the record it stands on.
 *
 * No row may be written before it is known that the message is sound, so `open` looks at a single object or
 * an array as a whole.
 */
import { Names } from './names.ts'
import {
  closeBrace,
  closeBracket,
  comma,
  kinds,
  nameAt,
  odds,
  openBrace,
  openBracket,
  Scanner,
} from './scan.ts'
import { unescape } from './text.ts'

/**
 * How a field's value is offered: as its text, and refused where it has parts; as it stands in the message;
 * or as its text, and as it stands where it has parts. `key` is as `text`, of a field that no column reads.
 */
export type Take = 'text' | 'source' | 'either' | 'key'

export interface Field {
  readonly name: string
  readonly take: Take
}

/** Why a body holds no records, and where that shows. */
export interface Unreadable {
  readonly at: number
  readonly why: string
}

type Form = 'object' | 'array' | 'lines'

/** What may be wrong with a record in a sound message. */
export type Flaw =
  | 'BAD_JSON'
  | 'EXTRA_FIELD'
  | 'NO_FIELD'
  | 'DUPLICATE_FIELD'
  | 'NESTED_VALUE'
  | 'NUL_BYTE'
  | 'LONE_SURROGATE'

const unquoted = 0
const plainlyQuoted = 1
const escapedQuoted = 2

const lf = 0x0a
const cr = 0x0d
const byteOrderMark = [0xef, 0xbb, 0xbf]

/**
 * Stands on one record of a message at a time. Its cells are the values of the fields, in the order of the
 * fields whatever the order in the object: an absent field, and null, are an unquoted empty cell, and a
 * string is a quoted one.
 */
export class ObjectReader {
  bytes: Buffer = Buffer.alloc(0)
  readonly count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** 0 no string, 1 a string or a value as it stands, 2 a string with escapes, which `unescaped` undoes. */
  readonly quoting: Uint8Array
  recordStart = 0
  recordEnd = 0
  /** The first thing that is wrong with the record; its cells mean nothing then. */
  flaw: Flaw | undefined
  /** The name that is to blame: `bytes[flawStart, flawEnd)`. With `BAD_JSON` both are the place. */
  flawStart = 0
  flawEnd = 0
  /** The cell that is to blame, or -1. */
  flawCell = -1
  /** With `BAD_JSON`: what is expected. */
  why = ''
  #form: Form = 'object'
  /** Where to look for the next record, -1 after the last one. */
  #next = -1
  readonly #scan = new Scanner()
  readonly #takes: readonly Take[]
  readonly #ignoreExtra: boolean
  readonly #names: Names
  /** The first cell of each name, and the next cell of the same name or -1. */
  readonly #cells: Int32Array
  readonly #twins: Int32Array
  readonly #known: number
  /** Names that columns read; they have the first numbers. */
  readonly #columns: number
  /** The number of the record in which a name stood last. */
  readonly #seen: Int32Array
  #record = 0
  /** Names of this record that have no number. */
  readonly #unnumbered = new Set<string>()

  /** Two fields may have the same name. One of `key` comes last. */
  constructor(fields: readonly Field[], ignoreExtra: boolean) {
    const names = [...new Set(fields.map(({ name }) => name))]
    this.count = fields.length
    this.starts = new Int32Array(fields.length)
    this.ends = new Int32Array(fields.length)
    this.quoting = new Uint8Array(fields.length)
    this.#takes = fields.map(({ take }) => take)
    this.#ignoreExtra = ignoreExtra
    this.#names = new Names(names)
    this.#known = names.length
    this.#columns = new Set(fields.filter(({ take }) => take !== 'key').map(({ name }) => name)).size
    this.#cells = Int32Array.from(names, (name) => fields.findIndex((field) => field.name === name))
    this.#twins = Int32Array.from(fields, ({ name }, cell) =>
      fields.findIndex((field, other) => other > cell && field.name === name),
    )
    this.#seen = new Int32Array(this.#names.most)
  }

  /** Begins with a message: undefined where it holds records, none of which has been read. */
  open(body: Buffer): Unreadable | undefined {
    const scan = this.#scan
    this.bytes = scan.bytes = body
    scan.end = body.length
    this.#next = -1
    const start = scan.space(byteOrderMark.every((byte, at) => body[at] === byte) ? byteOrderMark.length : 0)
    if (start === body.length) return { at: start, why: 'there is nothing but space' }
    const form = this.#wholeForm(start)
    if (form !== undefined) {
      this.#form = form
      this.#next = form === 'array' ? this.#element(start + 1) : start
      return undefined
    }
    const unreadable = { at: scan.brokenAt, why: scan.broken }
    if (!this.#isLines(start)) return unreadable
    this.#form = 'lines'
    this.#next = start
    return undefined
  }

  /** Whether there is no record any more. (Of lines the last ones may be blank.) */
  get empty(): boolean {
    return this.#next < 0
  }

  /** Goes on to the next record; false after the last one. */
  next(): boolean {
    const start = this.#next
    if (start < 0) return false
    // A single object has been read by `open`.
    if (this.#form === 'object') this.#next = -1
    else if (this.#form === 'array') this.#readElement(start)
    else return this.#readLine(start)
    return true
  }

  /** The bytes of a cell with `quoting` 2, its escapes undone. */
  unescaped(cell: number): Buffer {
    return unescape(this.bytes, this.starts[cell] as number, this.ends[cell] as number)
  }

  /**
   * What the message is as a whole; undefined where it is nothing that holds records, and then the scanner
   * says why.
   */
  #wholeForm(start: number): Form | undefined {
    const scan = this.#scan
    const first = this.bytes[start]
    const after = first === openBrace ? this.#readObject(start) : scan.value(start, 0, false)
    if (after < 0) return undefined
    const rest = scan.space(after)
    if (rest < scan.end) scan.fail(rest, 'more follows the value')
    else if (first === openBrace) return 'object'
    else if (first !== openBracket) scan.fail(start, 'a single value stands, which is no record')
    else if (!this.#holdsObjects(start)) scan.fail(start, 'an array stands that holds no objects')
    else return 'array'
    return undefined
  }

  /** Whether a sound array is empty or has an object in it. */
  #holdsObjects(start: number): boolean {
    const scan = this.#scan
    let at = scan.space(start + 1)
    if (this.bytes[at] === closeBracket) return true
    for (; at >= 0; at = this.#element(scan.space(scan.value(at, 1, false))))
      if (this.bytes[at] === openBrace) return true
    return false
  }

  /** Where the next element of a sound array begins, given what stands before it; -1 after the last one. */
  #element(from: number): number {
    const at = this.#scan.space(from)
    if (this.bytes[at] === closeBracket) return -1
    return this.bytes[at] === comma ? this.#scan.space(at + 1) : at
  }

  #readElement(start: number): void {
    if (this.bytes[start] === openBrace) this.recordEnd = this.#readObject(start)
    else {
      this.#begin(start)
      this.recordEnd = this.#scan.value(start, 1, false)
      this.#spoil(start, 'an object is expected')
    }
    this.#next = this.#element(this.recordEnd)
  }

  /**
   * A message is lines if the first line is an object, or if more lines are objects than are not. No part of
   * a sound object or array is ever taken for that: whatever stands between two objects has a line of its own
   * then, and so has what opens the whole.
   */
  #isLines(start: number): boolean {
    let balance = 0
    for (let at = start; at < this.bytes.length; at = this.#lineEnd(at) + 1) {
      const end = this.#lineEnd(at)
      const sound = this.#isObjectLine(at, end)
      if (sound && at === start) return true
      if (sound !== undefined) balance += sound ? 1 : -1
    }
    return balance > 0
  }

  /** Undefined for a blank line. */
  #isObjectLine(start: number, end: number): boolean | undefined {
    const scan = this.#scan
    scan.end = end
    const at = scan.space(start)
    const after = at === end ? undefined : scan.value(at, 1, false)
    const sound =
      after !== undefined && after >= 0 && this.bytes[at] === openBrace && scan.space(after) === end
    scan.end = this.bytes.length
    return after === undefined ? undefined : sound
  }

  #readLine(from: number): boolean {
    const scan = this.#scan
    const start = scan.space(from)
    this.#next = -1
    if (start >= this.bytes.length) return false
    const end = this.#lineEnd(start)
    this.#next = end + 1
    scan.end = end
    const isObject = this.bytes[start] === openBrace
    if (!isObject) this.#begin(start)
    const after = isObject ? this.#readObject(start) : scan.value(start, 1, false)
    const rest = after < 0 ? after : scan.space(after)
    scan.end = this.bytes.length
    if (isObject && rest === end) return true
    if (rest < 0) this.#spoil(scan.brokenAt, scan.broken)
    else if (isObject) this.#spoil(rest, 'the end of the line is expected')
    else this.#spoil(start, 'an object is expected')
    this.recordEnd = this.bytes[end - 1] === cr ? end - 1 : end
    return true
  }

  #lineEnd(from: number): number {
    const end = this.bytes.indexOf(lf, from)
    return end < 0 ? this.bytes.length : end
  }

  #begin(start: number): void {
    this.recordStart = start
    this.flaw = undefined
    const { count, starts, ends, quoting } = this
    // For the few cells of a record a loop is faster than three calls of `fill`.
    for (let cell = 0; cell < count; cell++) {
      starts[cell] = 0
      ends[cell] = 0
      quoting[cell] = unquoted
    }
    if (this.#unnumbered.size > 0) this.#unnumbered.clear()
    // Beyond 2^31 records the numbers come again, long after those that they could be taken for.
    this.#record = (this.#record + 1) | 0 || 1
  }

  /**
   * Enters the object that begins at `open` into the cells, and returns the index after it, or -1 where it is
   * none.
   */
  #readObject(open: number): number {
    const scan = this.#scan
    const { bytes } = this
    const { end } = scan
    this.#begin(open)
    scan.twiceStart = -1
    let at = scan.space(open + 1)
    if (at < end && bytes[at] === closeBrace) return this.#endObject(open, at + 1)
    for (let position = 0; ; position++) {
      const nameStart = at + 1
      const nameEnd = scan.string(at) - 1
      if (nameEnd < 0) return -1
      const cell = this.#cellOf(position, nameStart, nameEnd, scan.escaped)
      at = scan.colon(nameEnd + 1)
      if (at < 0) return -1
      const after = scan.value(at, 2)
      if (after < 0) return -1
      for (let each = cell; each >= 0; each = this.#twins[each] as number)
        this.#enter(each, at, after, nameStart, nameEnd)
      at = scan.space(after)
      const byte = at < end ? (bytes[at] as number) : 0
      if (byte === closeBrace) break
      if (byte !== comma) return scan.fail(at, 'a comma or a closing brace is expected')
      at = scan.space(at + 1)
    }
    if (scan.twiceStart >= 0) this.#blame('DUPLICATE_FIELD', scan.twiceStart, scan.twiceEnd, -1)
    return this.#endObject(open, at + 1)
  }

  #endObject(open: number, after: number): number {
    if (!this.#findsColumn()) this.#blame('NO_FIELD', open, after, -1)
    return (this.recordEnd = after)
  }

  /** Whether a column has its field in the object; mostly the first one has. */
  #findsColumn(): boolean {
    const seen = this.#seen
    for (let id = 0; id < this.#columns; id++) if (seen[id] === this.#record) return true
    return this.#columns === 0
  }

  /** The first cell of a name, or -1 where none is. */
  #cellOf(position: number, start: number, end: number, escaped: boolean): number {
    const id = this.#names.idOf(position, this.bytes, start, end, escaped)
    if (id < 0) {
      const name = nameAt(this.bytes, start, end, escaped)
      if (this.#unnumbered.has(name)) this.#blame('DUPLICATE_FIELD', start, end, -1)
      this.#unnumbered.add(name)
    } else {
      if (this.#seen[id] === this.#record) this.#blame('DUPLICATE_FIELD', start, end, -1)
      this.#seen[id] = this.#record
      if (id < this.#known) return this.#cells[id] as number
    }
    if (!this.#ignoreExtra) this.#blame('EXTRA_FIELD', start, end, -1)
    return -1
  }

  /** Puts the value that was passed last, from `start` to before `end`, into a cell. */
  #enter(cell: number, start: number, end: number, nameStart: number, nameEnd: number): void {
    const { kind, escaped, odd } = this.#scan
    if (kind === kinds.null) return
    const take = this.#takes[cell]
    let from = start
    let to = end
    let quoting: number = unquoted
    if (take === 'source' || (take === 'either' && kind >= kinds.object)) quoting = plainlyQuoted
    else if (kind >= kinds.object) this.#blame('NESTED_VALUE', nameStart, nameEnd, cell)
    else if (kind === kinds.string) {
      from++
      to--
      quoting = escaped ? escapedQuoted : plainlyQuoted
      if (odd !== odds.nothing)
        this.#blame(odd === odds.nul ? 'NUL_BYTE' : 'LONE_SURROGATE', nameStart, nameEnd, cell)
    }
    this.starts[cell] = from
    this.ends[cell] = to
    this.quoting[cell] = quoting
  }

  #blame(flaw: Flaw, start: number, end: number, cell: number): void {
    if (this.flaw !== undefined) return
    this.flaw = flaw
    this.flawStart = start
    this.flawEnd = end
    this.flawCell = cell
  }

  /** The record is no object. */
  #spoil(at: number, why: string): void {
    this.flaw = undefined
    this.#blame('BAD_JSON', at, at, -1)
    this.why = why
  }
}
