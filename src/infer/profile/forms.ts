/**
 * Counts how the values of fields are written whose columns have a type. A value that no form reads counts for
 * none: it is a reject, whatever the others are.
 */
import { linesIn } from '../../core/bytes.ts'
import { daysIn } from '../../core/calendar.ts'
import { cellBytes, escaped, unquoted } from '../../core/cells.ts'
import { shortened } from '../../core/found.ts'
import type { Notation, Notations } from '../../core/notation.ts'
import type { RecordReader } from '../../format/format.ts'
import { textWritten } from '../../model/notation/notation.ts'
import { statedOf } from '../../model/notation/stated.ts'
import { fits, isIso, yearFirst } from './dates.ts'
import type { Witness } from './facts.ts'
import { type FoundNotation, type Target, withAround } from './notation-for.ts'
import { type Elsewhere, isUnclear, type Numerals, numberForm, type ValueForm } from './number-form.ts'
import { pointNumerals } from './numerals.ts'
import { moneyChoices } from './questions.ts'
import { shapeOf } from './shape.ts'
import {
  amount,
  dated,
  decimal,
  emptyText,
  exponents,
  marker,
  numeral,
  oddNumber,
  padded,
  plainNumbers,
  value,
  wholes,
} from './shapes.ts'
import { epochForm, numbers, own, type TimeForm, timeForm } from './time-form.ts'

const mostWitness = 60

const ofAmounts = 'the records with amounts of money are rejected'
const POINT = 46

/** Of the records of sources; of each field that a target is known for. */
export class Forms {
  readonly fields = new Map<string, FieldForms>()
  readonly #targetOf: (field: string) => Target | undefined
  #cells: readonly Cell[] = []
  #source = ''
  #notations: Notations = {}

  constructor(targetOf: (field: string) => Target | undefined) {
    this.#targetOf = targetOf
  }

  begin(source: string, fields: readonly string[], notations: Notations = {}): void {
    this.#source = source
    this.#notations = notations
    this.setFields(fields)
  }

  setFields(fields: readonly string[]): void {
    this.#cells = fields.flatMap((field, index) => {
      const forms = this.#formsOf(field)
      if (forms === undefined) return []
      const stated = statedOf(field, this.#notations) ?? {}
      if (stated.money !== undefined) forms.takesMoney = true
      return [{ index, forms, written: writtenBy(stated) }]
    })
  }

  add(reader: RecordReader, firstLine: number, run = reader.bytes): void {
    if (reader.fault !== undefined) return
    const { recordStart, quoting } = reader
    const place = { source: this.#source, line: () => firstLine + linesIn(run, 0, recordStart) }
    for (const { index, forms, written } of this.#cells) {
      const isQuoted = quoting[index] !== unquoted
      if (written === undefined && quoting[index] !== escaped) {
        const start = reader.starts[index] as number
        forms.add(reader.bytes, start, reader.ends[index] as number, isQuoted, place)
        continue
      }
      const bytes = cellBytes(reader, index)
      const text = written === undefined ? bytes : written(bytes.toString())
      if (text !== null) forms.add(Buffer.from(text), 0, Buffer.byteLength(text), isQuoted, place)
    }
  }

  #formsOf(field: string): FieldForms | undefined {
    const known = this.fields.get(field)
    const target = known === undefined ? this.#targetOf(field) : undefined
    if (target !== undefined) this.fields.set(field, new FieldForms(field, target))
    return this.fields.get(field)
  }
}

/** What a reading says of the texts of a field. */
function writtenBy(stated: Notation): Cell['written'] {
  const { trim, nulls, excelText } = stated
  if (trim === undefined && nulls === undefined && excelText === undefined) return undefined
  return textWritten(stated)
}

interface Cell {
  readonly index: number
  readonly forms: FieldForms
  /** Null is no value. */
  readonly written: ((text: string) => string | null) | undefined
}

interface Place {
  readonly source: string
  readonly line: () => number
}

export class FieldForms {
  readonly field: string
  readonly target: Target
  /** Whether every value has the type's own form. */
  isOwn = true
  readonly #numerals = new Map<number, number>()
  /** Of amounts of money, the notations in which their digits are numbers. */
  readonly #amounts = new Map<number, number>()
  #firstAmount: Witness | undefined
  readonly #currencies = new Set<string>()
  /** Whether an option says that there may be amounts. */
  takesMoney = false
  readonly #times = new Map<string, TimeForm>()
  readonly #markers = new Map<number, Witness>()
  /** Of `padded`, `emptyText` and `marker`. */
  #around = 0
  /** The first value that is not in the own form, or has a sign that may mean another thing. */
  #witness: Witness | undefined

  constructor(field: string, target: Target) {
    this.field = field
    this.target = target
  }

  get numerals(): Numerals {
    const all = new Map(this.#numerals)
    for (const [bits, count] of this.#amounts) all.set(bits, (all.get(bits) ?? 0) + count)
    return all
  }

  get isUnclear(): boolean {
    return isUnclear(this.numerals)
  }

  found(others: Elsewhere): FoundNotation {
    const { field, target } = this
    const form =
      target.held === 'number' ? this.#numberForm(others) : timeForm(field, [...this.#times.values()])
    const witness = form.otherwise === ofAmounts ? this.#firstAmount : this.#witness
    return withAround(form, { field, shapes: this.#around, markers: this.#markers, witness })
  }

  /** What signs mean is the same in amounts and in other numbers. */
  #numberForm(others: Elsewhere): ValueForm {
    const { field, target } = this
    const form = numberForm(field, this.numerals, target.isWhole, others)
    if (this.#amounts.size === 0 || this.takesMoney) return form
    const moneys = moneyChoices(this.#currencies)
    if (form.readings === undefined) return { ...form, readings: moneys, otherwise: ofAmounts }
    const plain = numberForm(field, this.#numerals, target.isWhole, others)
    if (plain.readings !== undefined) return plain
    const readings = form.readings.flatMap((each) =>
      moneys.map(({ option }) => ({ ...each, option: `${option} ${each.option}` })),
    )
    return { ...plain, readings, otherwise: ofAmounts }
  }

  add(bytes: Buffer, start: number, end: number, isQuoted: boolean, place: Place): void {
    if (start === end && !isQuoted) return
    const all = start === end ? emptyText : shapeOf(bytes, start, end, false)
    const shapes = all & ~padded
    const isOwn =
      this.target.held === 'number'
        ? this.#addNumber(shapes, bytes, start, end)
        : this.#addTime(shapes, bytes, start, end)
    this.#around |= all & (padded | emptyText | marker)
    const isPlain = isOwn && shapes === all
    if (!isPlain) this.isOwn = false
    const isFirstAmount = (shapes & amount) !== 0 && this.#firstAmount === undefined
    const isSeen =
      (shapes & marker) === 0
        ? this.#witness !== undefined && !isFirstAmount
        : this.#markers.has(value.marker)
    if (isSeen || (isPlain && (shapes & decimal) === 0)) return
    const text = shortened(bytes, start, end, mostWitness)
    const witness = { source: place.source, line: place.line(), text, shapes: isOwn ? 0 : shapes }
    if ((shapes & marker) !== 0) this.#markers.set(value.marker, witness)
    this.#witness ??= witness
    if (isFirstAmount) this.#firstAmount = witness
  }

  /** Whether the type reads the value as it is. */
  #addNumber(shapes: number, bytes: Buffer, start: number, end: number): boolean {
    if ((shapes & wholes) !== 0) return true
    if ((shapes & (decimal | numeral)) !== 0) count(this.#numerals, value.numerals)
    else if ((shapes & amount) !== 0) this.#addAmount()
    else if ((shapes & (oddNumber | exponents)) === 0) return false
    else if (bytes.subarray(start, end).includes(POINT)) count(this.#numerals, pointNumerals)
    return (shapes & (numeral | amount)) === 0 && !(this.target.isWhole && (shapes & plainNumbers) !== 0)
  }

  #addAmount(): void {
    count(this.#amounts, value.numerals)
    if (value.currency !== undefined) this.#currencies.add(value.currency)
  }

  #addTime(shapes: number, bytes: Buffer, start: number, end: number): boolean {
    const { held, own: ownShapes } = this.target
    const form = (shapes & dated) === 0 ? undefined : value.dated
    const isOwn = (shapes & ownShapes) !== 0 || (form !== undefined && held !== 'time' && isIso(form.form))
    if (isOwn) this.#addForm(own, 1, true)
    else if (form !== undefined) {
      if (fits(form.form, held)) this.#addForm(form.form, form.orders, form.isPadded)
    } else if (held !== 'time' && (shapes & wholes) !== 0)
      this.#addForm(wholeForm(bytes, start, end, held), yearFirst, true)
    return isOwn
  }

  #addForm(form: string, orders: number, isPadded: boolean): void {
    let known = this.#times.get(form)
    if (known === undefined) this.#times.set(form, (known = { form, isPadded, orders: new Map() }))
    known.isPadded &&= isPadded
    known.orders.set(orders, (known.orders.get(orders) ?? 0) + 1)
  }
}

const count = (numerals: Map<number, number>, bits: number): void =>
  void numerals.set(bits, (numerals.get(bits) ?? 0) + 1)

/** `20260301` is a day, if there is such a one in these years: as any count since 1970 it would be one of August 1970. */
function wholeForm(bytes: Buffer, start: number, end: number, held: Target['held']): string {
  const text = bytes.toString('latin1', start, end).trim()
  const [, year, month, day, clock] = /^((?:19|20)\d\d)(\d\d)(\d\d)(\d{6})?$/.exec(text) ?? []
  const isDay =
    Number(day) >= 1 &&
    Number(month) >= 1 &&
    Number(month) <= 12 &&
    Number(day) <= daysIn(Number(year), Number(month))
  if (isDay && clock === undefined) return 'YYYYMMDD'
  if (isDay && held !== 'date' && /^(?:[01]\d|2[0-3])[0-5]\d[0-5]\d$/.test(clock ?? ''))
    return 'YYYYMMDDHHmmss'
  return text.startsWith('-') ? numbers : epochForm(text.length)
}
