/** What a column holds: the shapes of all its values, and the first value of each. */
import { unquoted } from '../../core/cells.ts'
import { anyOrder, type Dated } from './dates.ts'
import { anyNumeral } from './numerals.ts'
import { LastClock } from './clock.ts'
import { shapeOf, strongMarker } from './shape.ts'
import type { StatedNotation } from './stated.ts'
import {
  amount,
  bare,
  beyondDouble,
  booleans,
  code,
  date,
  dated,
  decimal,
  emptyText,
  exponents,
  json,
  marker,
  none,
  numeral,
  oddNumber,
  otherOffset,
  plainNumbers,
  text,
  time,
  timestamp,
  timestamptz,
  value,
} from './shapes.ts'

/** Where a record lies; asked only for the few values that are kept. */
export interface Place {
  readonly source: string
  /** Whether the record begins with `#`, and may be none. */
  readonly isRemark: boolean
  /** 1-based physical line of the record that is looked at. */
  line(): number
}

/** The first value of a shape. */
export interface Witness {
  readonly source: string
  readonly line: number
  /** Cut after `mostWitness` bytes. */
  readonly text: string
  /** The shapes that it added. */
  readonly shapes: number
}

const mostWitness = 60
/** Numbers, booleans and documents of JSON stand there without quotes. */
const notStrings = plainNumbers | exponents | oddNumber | numeral | amount | booleans | code | json

/** Dates and times of ISO 8601 and of other forms. */
const times = date | timestamp | timestamptz | time | dated

/** Values of a mixed form (`T`, `NA`) that are kept. */
const mostKept = 6

/** The sizes of numbers. */
export class Sizes {
  /** Most and least digits before the decimal sign, or somewhat more. */
  digits = 0
  leastDigits = Number.POSITIVE_INFINITY
  leastScale = Number.POSITIVE_INFINITY
  mostScale = 0

  add(digits: number, scale: number): void {
    if (digits > this.digits) this.digits = digits
    if (digits < this.leastDigits) this.leastDigits = digits
    if (scale > this.mostScale) this.mostScale = scale
    if (scale < this.leastScale) this.leastScale = scale
  }
}

export class ColumnProfile {
  readonly field: string
  /** How its values are said to be written. */
  readonly stated: StatedNotation | undefined
  /** Shapes of all records of each source but its first and its last, and of those. */
  inner = 0
  firsts = 0
  lasts = 0
  /** Of records that begin with `#`. */
  remarks = 0
  missing = 0
  /** In the order of the records. */
  readonly witnesses: Witness[] = []
  /** Sizes of the numbers, if a point is their decimal sign, and if a comma is. */
  readonly point = new Sizes()
  readonly comma = new Sizes()
  numerals = anyNumeral
  /** How dates are written; undefined where no form fits all of them. */
  dated: Dated | undefined
  /** How many records have each of the texts that often mean no value. */
  readonly markers = new Map<number, number>()
  /** Texts that are booleans or codes, some of them. */
  readonly codes = new Set<string>()
  readonly #clock = new LastClock()
  #known = 0
  #hasDated = false
  #offset = Number.NaN
  #isFirst = true
  /** Shapes of the last record so far. */
  #pending = 0

  /** What a stated notation has read, and what is a number or a time without it. */
  readonly statedUses = { numbers: false, times: false, plainNumbers: false, plainTimes: false }

  constructor(field: string, stated?: StatedNotation) {
    this.field = field
    this.stated = stated
  }

  /** All shapes. */
  get shapes(): number {
    return this.inner | this.firsts | this.lasts | this.remarks | this.#pending
  }

  /** Looks at the value of the next record. `isString`: a string of JSON, which is no number or boolean. */
  add(bytes: Buffer, start: number, end: number, quoting: number, isString: boolean, place: Place): void {
    if (this.stated !== undefined && (start < end || quoting !== unquoted)) {
      this.#addStated(this.stated, bytes.toString('utf8', start, end), quoting, isString, place)
      return
    }
    this.#add(bytes, start, end, quoting, isString, place)
  }

  #add(bytes: Buffer, start: number, end: number, quoting: number, isString: boolean, place: Place): void {
    let shapes: number
    if (start === end) {
      if (quoting === unquoted) this.missing++
      shapes = quoting === unquoted ? none : emptyText
    } else if ((this.inner & text) !== 0) {
      // Whatever follows, the column is text.
      this.#pending = text
      const index = strongMarker(bytes, start, end)
      if (index >= 0) this.#addMarker(index, bytes, start, end, place)
      return
    } else shapes = this.#shapesOf(bytes, start, end, isString)
    if (quoting === unquoted) shapes |= bare
    if ((shapes & ~this.#known) !== 0) this.#witness(shapes, bytes, start, end, place)
    if (place.isRemark) this.remarks |= shapes
    else if (this.#isFirst) {
      this.#isFirst = false
      this.firsts |= shapes
    } else {
      this.inner |= this.#pending
      this.#pending = shapes
    }
  }

  /** A field that its record lacks. */
  addMissing(): void {
    this.missing++
    if (this.#isFirst) {
      this.#isFirst = false
      this.firsts |= none
    } else {
      this.inner |= this.#pending
      this.#pending = none
    }
  }

  #addStated(stated: StatedNotation, source: string, quoting: number, isString: boolean, place: Place): void {
    const read = stated.read(source)
    if (read === null) {
      this.addMissing()
      return
    }
    const bytes = Buffer.from(read.text)
    const uses = this.statedUses
    if (read.as === 'number') uses.numbers = true
    else if (read.as === 'time') uses.times = true
    else if (read.as === 'text' && bytes.length > 0) {
      const shapes = shapeOf(bytes, 0, bytes.length, false)
      if (stated.numbers !== undefined && (shapes & (plainNumbers | exponents | numeral)) !== 0)
        uses.plainNumbers = true
      if (stated.times !== undefined && (shapes & times) !== 0) uses.plainTimes = true
    }
    this.#add(bytes, 0, bytes.length, quoting, isString, place)
  }

  endSource(): void {
    this.lasts |= this.#pending
    this.#pending = 0
    this.#isFirst = true
  }

  #shapesOf(bytes: Buffer, start: number, end: number, isString: boolean): number {
    if (this.#clock.isLike(bytes, start, end)) return this.#clock.shapes
    const shapes = shapeOf(bytes, start, end, (this.#known & beyondDouble) === 0)
    if (isString && (shapes & notStrings) !== 0) return text
    if ((shapes & plainNumbers) !== 0 || (shapes & numeral) !== 0) this.#addNumber(shapes)
    else if ((shapes & timestamptz) !== 0) {
      const all = this.#addOffset(shapes)
      if (all === timestamptz) this.#clock.set(bytes, start, end, all)
      return all
    } else if (shapes === timestamp) this.#clock.set(bytes, start, end, shapes)
    else if ((shapes & dated) !== 0) return this.#addDated(shapes)
    else if ((shapes & marker) !== 0)
      this.markers.set(value.marker, (this.markers.get(value.marker) ?? 0) + 1)
    else if ((shapes & code) !== 0 && this.codes.size < mostKept)
      this.codes.add(bytes.toString('latin1', start, end).trim())
    return shapes
  }

  #addMarker(index: number, bytes: Buffer, start: number, end: number, place: Place): void {
    this.markers.set(index, (this.markers.get(index) ?? 0) + 1)
    if ((marker & ~this.#known) !== 0) this.#witness(marker, bytes, start, end, place)
  }

  #addNumber(shapes: number): void {
    this.point.add(value.digits, value.scale)
    this.comma.add(value.digits + value.scale - value.commaScale, value.commaScale)
    if ((shapes & (decimal | numeral)) !== 0) this.numerals &= value.numerals
  }

  #addOffset(shapes: number): number {
    const { offset } = value
    if (offset === this.#offset) return shapes
    if (!Number.isNaN(this.#offset)) return shapes | otherOffset
    this.#offset = offset
    return shapes
  }

  #addDated(shapes: number): number {
    const found = value.dated as Dated
    const before = this.dated
    if (!this.#hasDated) this.dated = found
    else if (before === undefined || before.form !== found.form) this.dated = undefined
    else if ((before.orders & found.orders) !== before.orders || before.isPadded !== found.isPadded) {
      const orders = before.orders & found.orders & anyOrder
      this.dated = { form: before.form, orders, isPadded: before.isPadded && found.isPadded }
    }
    this.#hasDated = true
    return shapes
  }

  #witness(shapes: number, bytes: Buffer, start: number, end: number, place: Place): void {
    const added = shapes & ~this.#known
    this.#known |= shapes
    let cut = Math.min(end, start + mostWitness)
    while (cut < end && cut > start && ((bytes[cut] as number) & 0xc0) === 0x80) cut--
    const kept = bytes.toString('utf8', start, cut) + (cut < end ? '…' : '')
    this.witnesses.push({ source: place.source, line: place.line(), text: kept, shapes: added })
  }
}
