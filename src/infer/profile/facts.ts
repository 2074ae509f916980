/**
 * What is known of a column: plain data that a thread can send. Every fact is one that joins: the facts of
 * some sources and of those behind them give the facts of all of them, whatever the cut.
 */
import { shortened } from '../../core/found.ts'
import type { Notation } from '../../core/notation.ts'
import type { Dated } from './dates.ts'
import { anyNumeral } from './numerals.ts'
import { dated, otherOffset, timestamptz } from './shapes.ts'

/** Where a record lies; asked only for the few values that are kept. */
export interface Place {
  readonly source: string
  /** What the record looks like, if it may be none. */
  readonly aside: 'remark' | 'title' | undefined
  /** 1-based physical line of the record that is looked at. */
  line(): number
}

/** The first value of a shape. */
export interface Witness {
  readonly source: string
  readonly line: number
  /** Cut after a few bytes. */
  readonly text: string
  /** The shapes that it added. */
  readonly shapes: number
}

const mostWitness = 60

export const witnessOf = (
  shapes: number,
  bytes: Buffer,
  start: number,
  end: number,
  place: Place,
): Witness => ({
  source: place.source,
  line: place.line(),
  text: shortened(bytes, start, end, mostWitness),
  shapes,
})

/** The sizes of numbers. */
export interface Sizes {
  /** Most and least digits before the decimal sign, or somewhat more. */
  digits: number
  leastDigits: number
  leastScale: number
  mostScale: number
}

/** What a stated notation has read, and what is a number or a time without it. */
export interface StatedUses {
  numbers: boolean
  times: boolean
  plainNumbers: boolean
  plainTimes: boolean
}

/**
 * As soon as the column can be nothing but text, only `none`, `emptyText`, `padded`, `excelText` and `marker`
 * are still looked for, and the sizes, forms and codes say nothing.
 */
export interface Facts {
  readonly field: string
  /** How its values are said to be written; equal in all sources. */
  readonly notation: Notation | undefined
  missing: number
  /** Shapes of all records of each source but its first and its last, and of those. */
  inner: number
  firsts: number
  lasts: number
  /** Of records that begin with `#`, and of those that repeat the header. */
  remarks: number
  titles: number
  /** In the order of the records. */
  readonly witnesses: Witness[]
  /** Sizes of the numbers, if a point is their decimal sign, and if a comma is. */
  readonly point: Sizes
  readonly comma: Sizes
  /** Notations of its numbers in sources with semicolons between their cells, and in others. */
  semicolonNumerals: number
  otherNumerals: number
  /** How dates are written; undefined where no form fits all of them. */
  dated: Dated | undefined
  /** The first offset of an instant; NaN where there is none. */
  offset: number
  /** The texts that often mean no value, each where it was first seen, in that order. */
  readonly markers: Map<number, Witness>
  /** The currencies of its amounts: the first few, each where it was first seen, in that order. */
  readonly currencies: Map<string, Witness>
  /** Texts that are booleans or codes: a bit for each. */
  codes: number
  readonly statedUses: StatedUses
}

const noSizes = (): Sizes => ({
  digits: 0,
  leastDigits: Number.POSITIVE_INFINITY,
  leastScale: Number.POSITIVE_INFINITY,
  mostScale: 0,
})

/** Of a column without a record. */
export const noFacts = (field: string, notation: Notation | undefined): Facts => ({
  field,
  notation,
  missing: 0,
  inner: 0,
  firsts: 0,
  lasts: 0,
  remarks: 0,
  titles: 0,
  witnesses: [],
  point: noSizes(),
  comma: noSizes(),
  semicolonNumerals: anyNumeral,
  otherNumerals: anyNumeral,
  dated: undefined,
  offset: Number.NaN,
  markers: new Map(),
  currencies: new Map(),
  codes: 0,
  statedUses: { numbers: false, times: false, plainNumbers: false, plainTimes: false },
})

/** Plain data, of what has more than that. */
export const factsOf = ({
  field,
  notation,
  missing,
  inner,
  firsts,
  lasts,
  remarks,
  titles,
  witnesses,
  point,
  comma,
  semicolonNumerals,
  otherNumerals,
  dated: found,
  offset,
  markers,
  currencies,
  codes,
  statedUses,
}: Facts): Facts => ({
  field,
  notation,
  missing,
  inner,
  firsts,
  lasts,
  remarks,
  titles,
  witnesses,
  point,
  comma,
  semicolonNumerals,
  otherNumerals,
  dated: found,
  offset,
  markers,
  currencies,
  codes,
  statedUses,
})

export function addSize(sizes: Sizes, digits: number, scale: number): void {
  if (digits > sizes.digits) sizes.digits = digits
  if (digits < sizes.leastDigits) sizes.leastDigits = digits
  if (scale > sizes.mostScale) sizes.mostScale = scale
  if (scale < sizes.leastScale) sizes.leastScale = scale
}

const mostCurrencies = 4

export function addCurrency(
  { currencies }: Pick<Facts, 'currencies'>,
  currency: string | undefined,
  witness: () => Witness,
): void {
  if (currency === undefined || currencies.size >= mostCurrencies || currencies.has(currency)) return
  currencies.set(currency, witness())
}

/** Shapes of which there is a first value. */
export const knownShapes = ({ witnesses }: Pick<Facts, 'witnesses'>): number =>
  witnesses.reduce((shapes, witness) => shapes | witness.shapes, 0)

/** The form of all dates, those so far having the one and a further one the other. */
export function joinDated(before: Dated | undefined, found: Dated | undefined): Dated | undefined {
  if (before === undefined || found === undefined || before.form !== found.form) return undefined
  const orders = before.orders & found.orders
  if (orders === before.orders && before.isPadded === found.isPadded) return before
  return { form: before.form, orders, isPadded: before.isPadded && found.isPadded }
}

/** Adds the facts of the sources that follow. */
export function joinFacts(facts: Facts, next: Facts): void {
  const known = knownShapes(facts)
  if ((known & dated) === 0) facts.dated = next.dated
  else if ((knownShapes(next) & dated) !== 0) facts.dated = joinDated(facts.dated, next.dated)
  joinWitnesses(facts, next, known)
  if (Number.isNaN(facts.offset)) facts.offset = next.offset
  for (const [index, witness] of next.markers)
    if (!facts.markers.has(index)) facts.markers.set(index, witness)
  for (const [currency, witness] of next.currencies) addCurrency(facts, currency, () => witness)
  facts.missing += next.missing
  facts.inner |= next.inner
  facts.firsts |= next.firsts
  facts.lasts |= next.lasts
  facts.remarks |= next.remarks
  facts.titles |= next.titles
  facts.semicolonNumerals &= next.semicolonNumerals
  facts.otherNumerals &= next.otherNumerals
  facts.codes |= next.codes
  joinSizes(facts.point, next.point)
  joinSizes(facts.comma, next.comma)
  joinUses(facts.statedUses, next.statedUses)
}

/** An instant with another offset than the first one of all is one for the facts of all alone. */
function joinWitnesses(facts: Facts, next: Facts, known: number): void {
  const isOther = !Number.isNaN(facts.offset) && !Number.isNaN(next.offset) && facts.offset !== next.offset
  let all = known
  for (const witness of next.witnesses) {
    const isFirstOther = isOther && (witness.shapes & timestamptz) !== 0
    const shapes = isFirstOther ? witness.shapes | otherOffset : witness.shapes
    if ((shapes & ~all) !== 0) facts.witnesses.push({ ...witness, shapes: shapes & ~all })
    all |= shapes
  }
  if (isOther) facts.inner |= otherOffset
}

function joinSizes(sizes: Sizes, next: Sizes): void {
  sizes.digits = Math.max(sizes.digits, next.digits)
  sizes.leastDigits = Math.min(sizes.leastDigits, next.leastDigits)
  sizes.mostScale = Math.max(sizes.mostScale, next.mostScale)
  sizes.leastScale = Math.min(sizes.leastScale, next.leastScale)
}

function joinUses(uses: StatedUses, next: StatedUses): void {
  uses.numbers ||= next.numbers
  uses.times ||= next.times
  uses.plainNumbers ||= next.plainNumbers
  uses.plainTimes ||= next.plainTimes
}
