/**
 * Enters the members of an object into cells: the values of the wanted fields, in their order whatever the
 * order in the object. An absent field, and null, are an unquoted empty cell, and a string is a quoted one.
 */
import { escaped, quoted, type Take, unquoted, type WantedField } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import { maxRecordBytes } from '../../core/load.ts'
import { fieldPath } from '../../core/path.ts'
import { textFault } from '../text.ts'
import { type Flaw, flawFault } from './flaw.ts'
import { Names } from './names.ts'
import { type CellPlan, planCells, type Want } from './plan.ts'
import { closeBrace, comma, kinds, nameAt, odds, openBrace, Scanner } from './scan.ts'
import { unescape } from './text.ts'

/** The member with what stood around a record: what no column reads of it is no extra field. */
export const envelopeName = '$'

/** An object inside of another one, from which fields are read. */
interface InnerObject extends Pick<CellPlan['inner'][number], 'cell' | 'whole' | 'targets'> {
  readonly object: ObjectCells
  readonly isEnvelope: boolean
}

/** The fields of a model as a record is asked for them. */
export const wantsOf = (wanted: readonly WantedField[]): readonly Want[] =>
  wanted.map((want) => ({ ...want, path: fieldPath(want.name) }))

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
  #flawColumn: string | undefined
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
  /** The number of the name of each cell, or -1. */
  readonly #ids: Int32Array
  readonly #inner: readonly InnerObject[]
  /** Whether a column has found its field in this record, in an object inside of it. */
  #findsInside = false

  /** Two fields may have the same name. One of `key` comes last. */
  constructor(wants: readonly Want[], ignoreExtra: boolean) {
    const { cells, inner } = planCells(wants)
    const namesOfCells = cells.map(({ name }) => name)
    const names = [...new Set(namesOfCells.filter((name) => name !== undefined))]
    this.fields = wants.map(({ name = '' }) => name)
    this.count = wants.length
    this.starts = new Int32Array(cells.length)
    this.ends = new Int32Array(cells.length)
    this.quoting = new Uint8Array(cells.length)
    this.#takes = cells.map(({ take }) => take)
    this.#columns = cells.map(({ column }) => column)
    this.#ignoreExtra = ignoreExtra
    this.#names = new Names(names)
    this.#known = names.length
    this.#read = new Set(wants.filter(({ take }) => take !== 'key').flatMap(({ name }) => name ?? [])).size
    this.#cells = Int32Array.from(names, (name) => namesOfCells.indexOf(name))
    this.#twins = Int32Array.from(namesOfCells, (name, cell) =>
      name === undefined ? -1 : namesOfCells.indexOf(name, cell + 1),
    )
    this.#seen = new Int32Array(this.#names.most)
    this.#ids = Int32Array.from(namesOfCells, (name) => (name === undefined ? -1 : names.indexOf(name)))
    this.#inner = inner.map(({ wants: inside, ...rest }) => {
      // Where a column reads the whole object, nothing in it is left out.
      const isRead = wants.some(({ name, take }) => take !== 'key' && name === cells[rest.cell]?.name)
      const isEnvelope = cells[rest.cell]?.name === envelopeName
      return { ...rest, isEnvelope, object: new ObjectCells(inside, ignoreExtra || isRead || isEnvelope) }
    })
  }

  unescaped(cell: number): Buffer {
    return unescape(this.bytes, this.starts[cell] as number, this.ends[cell] as number)
  }

  isLiteral(cell: number): boolean {
    return this.quoting[cell] === unquoted
  }

  isAbsent(cell: number): boolean {
    if (this.#hasOwn(cell)) return false
    for (const { cell: holder, whole, targets, object } of this.#inner) {
      if (!this.#hasOwn(holder)) continue
      const index = targets.indexOf(cell)
      if (whole.includes(cell)) return false
      // An object that is null has no field that is kept.
      if (index >= 0) return this.quoting[holder] !== unquoted && object.isAbsent(index)
    }
    return true
  }

  protected begin(start: number): void {
    this.recordStart = start
    this.flaw = undefined
    const { starts, ends, quoting } = this
    const count = starts.length
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
    if (scan.twiceStart >= 0) this.#blame('DUPLICATE_FIELD', scan.twiceStart, scan.twiceEnd)
    return this.#endObject(open, at + 1)
  }

  #endObject(open: number, after: number): number {
    if (this.#inner.length > 0) this.#readInside()
    if (!this.#findsColumn()) this.#blame('NO_FIELD', open, after)
    return (this.recordEnd = after)
  }

  /** Whether a column has its field in the object; mostly the first one has. */
  #findsColumn(): boolean {
    const seen = this.#seen
    for (let id = 0; id < this.#read; id++) if (seen[id] === this.#record) return true
    return this.#findsInside || this.count === 0
  }

  /** Whether the object has the member that a cell is read from. */
  #hasOwn(cell: number): boolean {
    const id = this.#ids[cell] as number
    return id >= 0 && this.#seen[id] === this.#record
  }

  /** Enters the fields that paths reach into their cells, but for those that are members themselves. */
  #readInside(): void {
    this.#findsInside = false
    for (const { cell, whole, targets, object, isEnvelope } of this.#inner) {
      if (!this.#hasOwn(cell)) continue
      for (const target of whole) this.#take(target, this, cell)
      if (targets.every((target) => this.#hasOwn(target)) || this.quoting[cell] === unquoted) continue
      const start = this.starts[cell] as number
      if (this.bytes[start] === openBrace) this.#readObjectInside(start, object, targets, isEnvelope)
      else this.#blame('NOT_AN_OBJECT', start, this.ends[cell] as number, this.#columns[targets[0] as number])
    }
  }

  #readObjectInside(
    start: number,
    object: ObjectCells,
    targets: readonly number[],
    isEnvelope: boolean,
  ): void {
    object.bytes = object.scan.bytes = this.bytes
    object.scan.end = this.scan.end
    object.readObject(start)
    const { flaw } = object
    if (flaw !== undefined && flaw !== 'NO_FIELD')
      this.#blame(flaw, object.#flawStart, object.#flawEnd, object.#flawColumn)
    this.#findsInside ||= !isEnvelope && object.#findsColumn()
    for (let index = 0; index < targets.length; index++) this.#take(targets[index] as number, object, index)
  }

  /** Takes the value of a cell of another object, or of this one, into a cell. */
  #take(target: number, from: ObjectCells, cell: number): void {
    if (this.#hasOwn(target)) return
    if (from === this && this.#takes[target] !== 'key') this.#findsInside = true
    this.starts[target] = from.starts[cell] as number
    this.ends[target] = from.ends[cell] as number
    this.quoting[target] = from.quoting[cell] as number
  }

  /** The first cell of a name, or -1 where none is. */
  #cellOf(position: number, start: number, end: number, isEscaped: boolean): number {
    const id = this.#names.idOf(position, this.bytes, start, end, isEscaped)
    if (id < 0) {
      const name = nameAt(this.bytes, start, end, isEscaped)
      if (this.#unnumbered.has(name)) this.#blame('DUPLICATE_FIELD', start, end)
      this.#unnumbered.add(name)
    } else {
      if (this.#seen[id] === this.#record) this.#blame('DUPLICATE_FIELD', start, end)
      this.#seen[id] = this.#record
      if (id < this.#known) return this.#cells[id] as number
    }
    if (!this.#ignoreExtra) this.#blame('EXTRA_FIELD', start, end)
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
    else if (kind >= kinds.object) this.#blame('NESTED_VALUE', nameStart, nameEnd, this.#columns[cell])
    else if (kind === kinds.string) {
      from++
      to--
      quoting = isEscaped ? escaped : quoted
      if (odd !== odds.nothing)
        this.#blame(odd === odds.nul ? 'NUL_BYTE' : 'LONE_SURROGATE', nameStart, nameEnd, this.#columns[cell])
    }
    this.starts[cell] = from
    this.ends[cell] = to
    this.quoting[cell] = quoting
  }

  #blame(flaw: Flaw, start: number, end: number, column?: string): void {
    if (this.flaw !== undefined) return
    this.flaw = flaw
    this.#flawStart = start
    this.#flawEnd = end
    this.#flawColumn = column
  }

  /** The record is no object. */
  protected spoil(at: number, why: string): void {
    this.flaw = undefined
    this.#blame('BAD_JSON', at, at)
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
    if (text !== undefined || flaw === undefined) return text
    const [start, end, column] = [this.#flawStart, this.#flawEnd, this.#flawColumn]
    return flawFault(flaw, { bytes, recordStart, start, end, column, why: this.#why })
  }
}
