/** What a column holds: the shapes of all its values, and the first value of each. */
import { unquoted } from '../../core/cells.ts'
import type { Notation } from '../../core/notation.ts'
import type { Dated } from './dates.ts'
import {
  addCurrency,
  addSize,
  type Facts,
  factsOf,
  joinDated,
  joinFacts,
  knownShapes,
  type Place,
  witnessOf,
} from './facts.ts'
import { currencyIn } from '../../model/notation/number.ts'
import type { CellMarks } from '../../format/format.ts'
import { anyNumeral } from './numerals.ts'
import { Seen } from './seen.ts'
import { mayBeMarked, shapeOf } from './shape.ts'
import { StatedNotation } from './stated.ts'
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
  excelText,
  exponents,
  inCurrency,
  json,
  marker,
  none,
  numeral,
  oddNumber,
  otherOffset,
  padded,
  plainNumbers,
  text,
  time,
  timestamp,
  timestamptz,
  value,
} from './shapes.ts'

/** Numbers, booleans and documents of JSON stand there without quotes. */
const notStrings = plainNumbers | exponents | oddNumber | numeral | amount | booleans | code | json

/** Of ISO 8601 and of other forms. */
const times = date | timestamp | timestamptz | time | dated
/** Facts of the whole column, whichever of its records show them. */
const ofColumn = otherOffset | beyondDouble

/** What is still looked for in a column that is text whatever follows. */
const besideText = padded | excelText | marker

export class ColumnProfile implements Facts {
  readonly field: string
  readonly notation: Notation | undefined
  readonly stated: StatedNotation | undefined
  missing: number
  inner: number
  firsts: number
  lasts: number
  remarks: number
  titles: number
  readonly witnesses: Facts['witnesses']
  readonly point: Facts['point']
  readonly comma: Facts['comma']
  semicolonNumerals: number
  otherNumerals: number
  dated: Dated | undefined
  offset: number
  readonly markers: Facts['markers']
  readonly currencies: Facts['currencies']
  codes: number
  readonly statedUses: Facts['statedUses']
  readonly #seen = new Seen()
  #known: number
  #isFirst = true
  #hasSemicolons = false
  #hasStrings = false
  /** Of the source, and of those before it that are written alike. */
  #numerals = anyNumeral
  /** Shapes of the last record so far. */
  #pending = 0

  /** Begins with these facts, which it goes on with. */
  constructor(facts: Facts) {
    this.field = facts.field
    this.notation = facts.notation
    this.stated = facts.notation && new StatedNotation(facts.notation)
    this.missing = facts.missing
    this.inner = facts.inner
    this.firsts = facts.firsts
    this.lasts = facts.lasts
    this.remarks = facts.remarks
    this.titles = facts.titles
    this.witnesses = facts.witnesses
    this.point = facts.point
    this.comma = facts.comma
    this.semicolonNumerals = facts.semicolonNumerals
    this.otherNumerals = facts.otherNumerals
    this.dated = facts.dated
    this.offset = facts.offset
    this.markers = facts.markers
    this.currencies = facts.currencies
    this.codes = facts.codes
    this.statedUses = facts.statedUses
    this.#known = knownShapes(facts)
  }

  /** Plain data. */
  get facts(): Facts {
    return factsOf(this)
  }

  /** The notations of all its numbers. */
  get numerals(): number {
    return this.semicolonNumerals & this.otherNumerals & this.#numerals
  }

  /** Adds the facts of the sources that follow; between two sources only. */
  join(next: Facts): void {
    joinFacts(this, next)
    this.#known = knownShapes(this)
  }

  /** All shapes. */
  get shapes(): number {
    return this.inner | this.firsts | this.lasts | this.remarks | this.titles | this.#pending
  }

  /**
   * Whether the value of the next record adds nothing to what is known, and is done with: almost every value
   * of a file. Told by its bytes, `view` being over them; nothing is allocated. What this cannot tell, `add`
   * can.
   */
  repeats(bytes: Buffer, view: DataView, start: number, end: number, quoting: number): boolean {
    if (!this.isSettled) return false
    const shapes = this.#seen.shapesOf(bytes, view, start, end, quoting, this.inner, this.#numerals)
    if (shapes === 0) return false
    if (start === end && quoting === unquoted) this.missing++
    this.#pending = shapes
    return true
  }

  /** Whether the record before adds nothing that a further one would show. */
  get isSettled(): boolean {
    return !this.#isFirst && this.stated === undefined && (this.#pending & ~this.inner) === 0
  }

  beginSource(hasSemicolons: boolean, hasStrings: boolean): void {
    this.#hasStrings = hasStrings
    if (this.#hasSemicolons !== hasSemicolons) this.#seen.forget()
    this.#hasSemicolons = hasSemicolons
    this.#numerals = hasSemicolons ? this.semicolonNumerals : this.otherNumerals
  }

  beginRun(): void {
    this.#seen.begin()
  }

  /** The end of a cell of which `repeats` would be true, see `Seen.endOf`; nothing is kept of it. The column is settled. */
  endOfRepeat(bytes: Buffer, view: DataView, start: number, marks: CellMarks): number {
    return this.#seen.endOf(bytes, view, start, marks, this.inner, this.#numerals)
  }

  /**
   * Looks at the value of the next record. `isString`: a string of JSON, which is no number or boolean.
   * `view`: over the bytes, where they may be remembered.
   */
  add(
    bytes: Buffer,
    start: number,
    end: number,
    quoting: number,
    isString: boolean,
    place: Place,
    view?: DataView,
  ): void {
    if (this.stated !== undefined && (start < end || quoting !== unquoted)) {
      this.#addStated(this.stated, bytes.toString('utf8', start, end), quoting, isString, place)
      return
    }
    const shapes = this.#add(bytes, start, end, quoting, isString, place)
    if (view !== undefined && !isString && start < end)
      this.#seen.add(bytes, view, start, end, quoting, shapes)
  }

  /** Returns the shapes of the record. */
  #add(bytes: Buffer, start: number, end: number, quoting: number, isString: boolean, place: Place): number {
    let shapes: number
    if (start === end) {
      if (quoting === unquoted) this.missing++
      shapes = quoting === unquoted ? none : emptyText
    } else if ((this.inner & text) !== 0 && !this.#isFirst && place.aside === undefined) {
      this.#addText(bytes, start, end, place)
      return text
    } else shapes = this.#shapesOf(bytes, start, end, isString)
    if (quoting === unquoted) shapes |= bare
    if ((shapes & amount) !== 0)
      addCurrency(this, value.currency, () => witnessOf(inCurrency, bytes, start, end, place))
    if (((shapes & ~this.#known) | (shapes & marker)) !== 0) this.#witness(shapes, bytes, start, end, place)
    this.inner |= shapes & ofColumn
    const own = shapes & ~ofColumn
    if (place.aside === 'remark') this.remarks |= own
    else if (place.aside === 'title') this.titles |= own
    else if (this.#isFirst) {
      this.#isFirst = false
      this.firsts |= own
    } else {
      this.inner |= this.#pending
      this.#pending = own
    }
    return own
  }

  /** Records of its source, at the beginning of it, that lack the field. */
  addMissing(records: number): void {
    this.missing += records
    for (let record = 0; record < Math.min(records, 3); record++) {
      if (this.#isFirst) {
        this.#isFirst = false
        this.firsts |= none
      } else {
        this.inner |= this.#pending
        this.#pending = none
      }
    }
  }

  #addStated(stated: StatedNotation, source: string, quoting: number, isString: boolean, place: Place): void {
    const read = stated.read(source, this.#hasStrings && !isString)
    if (read === null) {
      this.addMissing(1)
      return
    }
    const bytes = Buffer.from(read.text)
    const uses = this.statedUses
    if (read.as === 'number') {
      uses.numbers = true
      if (stated.numbers?.money === true)
        addCurrency(this, currencyIn(source), () => {
          const amounts = Buffer.from(source)
          return witnessOf(inCurrency, amounts, 0, amounts.length, place)
        })
    } else if (read.as === 'time') uses.times = true
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
    if (this.#hasSemicolons) this.semicolonNumerals &= this.#numerals
    else this.otherNumerals &= this.#numerals
    this.#numerals = anyNumeral
  }

  #shapesOf(bytes: Buffer, start: number, end: number, isString: boolean): number {
    const shapes = shapeOf(bytes, start, end, (this.#known & beyondDouble) === 0)
    if (isString && (shapes & notStrings) !== 0) return text
    if ((shapes & plainNumbers) !== 0 || (shapes & numeral) !== 0) this.#addNumber(shapes)
    else if ((shapes & timestamptz) !== 0) {
      const all = this.#addOffset(shapes)
      if (all === timestamptz) this.#seen.addTime(bytes, start, end, all)
      return all
    } else if (shapes === timestamp) this.#seen.addTime(bytes, start, end, shapes)
    else if ((shapes & dated) !== 0) return this.#addDated(shapes)
    else if ((shapes & amount) !== 0) this.#numerals &= value.numerals
    else if ((shapes & code) !== 0) this.codes |= 1 << value.code
    return shapes
  }

  /** In a column that is text whatever follows. */
  #addText(bytes: Buffer, start: number, end: number, place: Place): void {
    this.inner |= this.#pending
    this.#pending = text
    if (!mayBeMarked(bytes, start, end)) return
    const shapes = shapeOf(bytes, start, end, false) & besideText
    this.inner |= shapes
    if (((shapes & ~this.#known) | (shapes & marker)) !== 0) this.#witness(shapes, bytes, start, end, place)
  }

  #addNumber(shapes: number): void {
    addSize(this.point, value.digits, value.scale)
    this.#seen.addNumber(shapes)
    addSize(this.comma, value.digits + value.scale - value.commaScale, value.commaScale)
    if ((shapes & (decimal | numeral)) !== 0) this.#numerals &= value.numerals
  }

  #addOffset(shapes: number): number {
    const { offset } = value
    if (Number.isNaN(this.offset)) this.offset = offset
    return offset === this.offset ? shapes : shapes | otherOffset
  }

  #addDated(shapes: number): number {
    const found = value.dated as Dated
    this.dated = (this.#known & dated) === 0 ? found : joinDated(this.dated, found)
    return shapes
  }

  #witness(shapes: number, bytes: Buffer, start: number, end: number, place: Place): void {
    const added = shapes & ~this.#known
    const isMarker = (shapes & marker) !== 0 && !this.markers.has(value.marker)
    if (added === 0 && !isMarker) return
    this.#known |= shapes
    const witness = witnessOf(added, bytes, start, end, place)
    if (isMarker) this.markers.set(value.marker, { ...witness, shapes: marker })
    if (added !== 0) this.witnesses.push(witness)
  }
}
