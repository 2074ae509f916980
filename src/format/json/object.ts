/**
 * Enters the members of an object into cells: the values of the wanted fields, in their order whatever the
 * order in the object. An absent field, and null, are an unquoted empty cell, and a string is a quoted one.
 */
import { escaped, quoted, type Take, unquoted, type WantedField } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import { found } from '../../core/found.ts'
import { maxRecordBytes } from '../../core/load.ts'
import { textFault } from '../text.ts'
import { Names } from './names.ts'
import { closeBrace, comma, kinds, nameAt, odds, Scanner } from './scan.ts'
import { unescape } from './text.ts'

/** What may be wrong with an object. */
type Flaw =
  | 'BAD_JSON'
  | 'EXTRA_FIELD'
  | 'NO_FIELD'
  | 'DUPLICATE_FIELD'
  | 'NESTED_VALUE'
  | 'NUL_BYTE'
  | 'LONE_SURROGATE'

export class ObjectCells {
  bytes: Buffer = Buffer.alloc(0)
  /** Names of the cells. */
  readonly fields: readonly string[]
  readonly count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** Quoted is a string or a value as it stands, escaped a string with escapes. */
  readonly quoting: Uint8Array
  recordStart = 0
  recordEnd = 0
  protected readonly scan = new Scanner()
  /** The first thing that is wrong with the record; its cells mean nothing then. */
  protected flaw: Flaw | undefined
  /** The name that is to blame: `bytes[flawStart, flawEnd)`. With `BAD_JSON` both are the place. */
  #flawStart = 0
  #flawEnd = 0
  /** The cell that is to blame, or -1. */
  #flawCell = -1
  /** With `BAD_JSON`: what is expected. */
  #why = ''
  readonly #takes: readonly Take[]
  readonly #columns: readonly (string | undefined)[]
  readonly #ignoreExtra: boolean
  readonly #names: Names
  /** The first cell of each name, and the next cell of the same name or -1. */
  readonly #cells: Int32Array
  readonly #twins: Int32Array
  readonly #known: number
  /** Names that columns read; they have the first numbers. */
  readonly #read: number
  /** The number of the record in which a name stood last. */
  readonly #seen: Int32Array
  #record = 0
  /** Names of this record that have no number. */
  readonly #unnumbered = new Set<string>()

  /** Two fields may have the same name. One of `key` comes last. */
  constructor(wanted: readonly WantedField[], ignoreExtra: boolean) {
    this.fields = wanted.map(({ name }) => name)
    const names = [...new Set(this.fields)]
    this.count = wanted.length
    this.starts = new Int32Array(wanted.length)
    this.ends = new Int32Array(wanted.length)
    this.quoting = new Uint8Array(wanted.length)
    this.#takes = wanted.map(({ take }) => take)
    this.#columns = wanted.map(({ column }) => column)
    this.#ignoreExtra = ignoreExtra
    this.#names = new Names(names)
    this.#known = names.length
    this.#read = new Set(wanted.filter(({ take }) => take !== 'key').map(({ name }) => name)).size
    this.#cells = Int32Array.from(names, (name) => this.fields.indexOf(name))
    this.#twins = Int32Array.from(this.fields, (name, cell) => this.fields.indexOf(name, cell + 1))
    this.#seen = new Int32Array(this.#names.most)
  }

  unescaped(cell: number): Buffer {
    return unescape(this.bytes, this.starts[cell] as number, this.ends[cell] as number)
  }

  protected begin(start: number): void {
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
  protected readObject(open: number): number {
    const scan = this.scan
    const { bytes } = this
    const { end } = scan
    this.begin(open)
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
    for (let id = 0; id < this.#read; id++) if (seen[id] === this.#record) return true
    return this.#read === 0
  }

  /** The first cell of a name, or -1 where none is. */
  #cellOf(position: number, start: number, end: number, isEscaped: boolean): number {
    const id = this.#names.idOf(position, this.bytes, start, end, isEscaped)
    if (id < 0) {
      const name = nameAt(this.bytes, start, end, isEscaped)
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
    const { kind, escaped: isEscaped, odd } = this.scan
    if (kind === kinds.null) return
    const take = this.#takes[cell]
    let from = start
    let to = end
    let quoting: number = unquoted
    if (take === 'source' || (take === 'either' && kind >= kinds.object)) quoting = quoted
    else if (kind >= kinds.object) this.#blame('NESTED_VALUE', nameStart, nameEnd, cell)
    else if (kind === kinds.string) {
      from++
      to--
      quoting = isEscaped ? escaped : quoted
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
    this.#flawStart = start
    this.#flawEnd = end
    this.#flawCell = cell
  }

  /** The record is no object. */
  protected spoil(at: number, why: string): void {
    this.flaw = undefined
    this.#blame('BAD_JSON', at, at, -1)
    this.#why = why
  }

  /** What is wrong with the record, its text before its values. */
  protected faultOf(isText: boolean): Fault | undefined {
    const { bytes, recordStart, recordEnd, flaw } = this
    const size = recordEnd - recordStart
    if (size > maxRecordBytes) {
      const detail = `the object has ${size} bytes, and ${maxRecordBytes} are the most`
      return { code: 'OBJECT_TOO_LARGE', detail }
    }
    const text = isText ? undefined : textFault(bytes.subarray(recordStart, recordEnd))
    return text ?? (flaw && this.#flawFault(flaw))
  }

  #flawFault(code: Flaw): Fault {
    const start = this.#flawStart - this.recordStart
    const span = { start, end: this.#flawEnd - this.recordStart }
    // Of a value the place is found by its column.
    const column = this.#columns[this.#flawCell]
    const name = () => `field ${found(this.bytes, this.#flawStart, this.#flawEnd)}`
    switch (code) {
      case 'BAD_JSON':
        return { code, detail: `at byte ${start} of the record, ${this.#why}`, span }
      case 'EXTRA_FIELD':
        return { code, detail: `${name()} is not in the model`, span }
      case 'NO_FIELD':
        return { code, detail: 'none of its fields is in the model', span }
      case 'DUPLICATE_FIELD':
        return { code, detail: `${name()} stands twice in an object`, span }
      case 'NESTED_VALUE':
        return { code, detail: `${name()} holds an object or an array`, column }
      case 'NUL_BYTE':
        return { code, detail: `${name()} holds a NUL`, column }
      case 'LONE_SURROGATE':
        return { code, detail: `${name()} holds half a surrogate pair`, column }
    }
  }
}
