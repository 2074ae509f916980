/**
 * What a column could be if an option said so. Without it the column stays text, which loses nothing, so none
 * of these keeps a file from being loaded.
 */
import { quoted } from '../../core/shell.ts'
import type { Choice, Question } from '../decision.ts'
import type { ColumnProfile } from './column.ts'
import { orderMeanings, patternOf } from './dates.ts'
import { notationOf, type Numeral, type Rivals, rivalsOf } from './numerals.ts'
import { decidingWitness, shownWitness } from './reasons.ts'
import { codes as codeTexts, isStrongMarker, markers } from './shape.ts'
import {
  amount,
  bare,
  code,
  dated,
  emptyText,
  excelText,
  exponents,
  marker,
  none,
  numeral,
  oddNumber,
  oddUuid,
  otherOffset,
  padded,
  plainNumbers,
  timestamptz,
  uuid,
} from './shapes.ts'
import { isText, shownType } from './found-type.ts'
import { typeOf } from './types.ts'

const otherwise = 'it stays text'

/** Undefined where nothing but text can be meant, or where the type is found. */
export function questionOf(column: ColumnProfile): Question | undefined {
  const readings = isText(typeOf(column)) ? readingsOf(column) : []
  if (readings.length === 0 && isText(typeOf(column))) return amongTexts(column)
  const witness = decidingWitness(column)
  if (readings.length === 0 || witness === undefined) return undefined
  return {
    about: `${column.field} is text because of ${shownWitness(witness)}`,
    line: witness.line,
    readings,
    otherwise,
  }
}

/** Markers that mean no value beside any texts. */
function amongTexts(column: ColumnProfile): Question | undefined {
  const strong = [...column.markers.keys()].filter(isStrongMarker)
  const witness = strong[0] === undefined ? undefined : column.markers.get(strong[0])
  if (witness === undefined) return undefined
  strong.sort((a, b) => a - b)
  const option = `--null ${quoted(strong.map((index) => markers[index]).join(','))}`
  const about = `${column.field} is text because of ${shownWitness(witness)}`
  return { about, line: witness.line, readings: [{ option, meaning: 'no value' }], otherwise }
}

function readingsOf(column: ColumnProfile): readonly Choice[] {
  const around = column.shapes & (marker | padded | emptyText)
  const inner = column.shapes & ~(none | bare | marker | padded | emptyText)
  if (inner === 0) return []
  const type = typeOf(column, inner | bare)
  const options = [
    ...(around & padded ? ['--trim'] : []),
    ...((around & (marker | emptyText)) === 0 ? [] : [`--null ${nullsOf(column)}`]),
  ]
  if (!isText(type)) return [{ option: options.join(' '), meaning: shownType(type) }]
  const prefix = options.map((option) => `${option} `).join('')
  return choicesOf(column, inner).map(({ option, meaning }) => ({ option: prefix + option, meaning }))
}

/** The texts without a value that the column has, as `--null` takes them. */
export function nullsOf({ markers: found, shapes }: Pick<ColumnProfile, 'markers' | 'shapes'>): string {
  const texts = [...found.keys()].toSorted((a, b) => a - b).map((index) => markers[index] ?? '')
  const all = [...(shapes & emptyText ? [''] : []), ...texts]
  return all.every((text) => /^[\w./-]+$/.test(text)) ? all.join(',') : `'${all.join(',')}'`
}

/** Readings of the shapes, which are no type by themselves. */
function choicesOf(column: ColumnProfile, shapes: number): readonly Choice[] {
  const isOnly = (allowed: number): boolean => (shapes & ~allowed) === 0
  // Read by a notation that is stated, amounts are plain numbers.
  if (column.currencies.size > 1 && isOnly(plainNumbers | numeral)) return moneyChoicesOf(column)
  if (isOnly(dated)) return dateChoices(column)
  if (isOnly(plainNumbers | numeral)) return numberChoices(column)
  if (isOnly(code)) return codeChoices(column)
  const as = (type: string, meaning: string): Choice => ({
    option: `--columns ${columnWord(column.field)}:${type}`,
    meaning,
  })
  if (isOnly(timestamptz | otherOffset)) return [as('timestamptz', 'the instants, without their offsets')]
  if (isOnly(uuid | oddUuid)) return [as('uuid', 'in lower case')]
  if (isOnly(plainNumbers | exponents)) return [as('double', 'the nearest doubles')]
  if (isOnly(plainNumbers | oddNumber) && isSameNumber(column))
    return [as('numeric', 'the numbers, written as numeric writes them')]
  if (isOnly(plainNumbers | numeral | amount)) return amountChoices(column)
  if ((shapes & excelText) !== 0) return [{ option: '--excel-text', meaning: 'the texts without =""' }]
  return []
}

const sameNumber = /^-?(\.|(0|[1-9]\d*)\.$)|^-0(\.0*)?$/

/** `.5` and `-0` are 0.5 and 0; `007` and `+49` may be something else than numbers. */
const isSameNumber = ({ witnesses }: ColumnProfile): boolean =>
  witnesses.every(({ shapes, text }) => (shapes & oddNumber) === 0 || sameNumber.test(text))

/** As `--columns` takes a field. */
export const columnWord = (field: string): string =>
  quoted(/[,"]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)

export const dateFormat = (field: string, format: string): string =>
  `--date-format ${quoted(`${field}=${format}`)}`

function dateChoices({ field, dated: found }: ColumnProfile): readonly Choice[] {
  if (found === undefined) return []
  const { form, isPadded } = found
  return orderMeanings
    .filter(({ order }) => (found.orders & order) !== 0)
    .map(({ order, meaning }) => ({ option: dateFormat(field, patternOf(form, order, isPadded)), meaning }))
}

function numberChoices({ field, numerals, stated }: ColumnProfile): readonly Choice[] {
  const rivals = rivalsOf(numerals)
  if (rivals === undefined)
    // Beside what is stated, the column is text for another reason.
    return numerals === 0 || stated?.numbers !== undefined
      ? []
      : [{ option: `--columns ${columnWord(field)}:bigint`, meaning: 'numbers with groups of thousands' }]
  return rivalChoices(field, rivals)
}

/** None where no notation reads all of them. */
function amountChoices(column: ColumnProfile): readonly Choice[] {
  const { field, numerals } = column
  if (numerals === 0) return []
  const rivals = rivalsOf(numerals)
  const moneys = moneyChoicesOf(column)
  if (rivals !== undefined)
    return moneys.flatMap(({ option: money }) =>
      rivalChoices(field, rivals).map((each) => ({ ...each, option: `${money} ${each.option}` })),
    )
  const notation = notationOf(numerals)
  const isUsual = notation.decimal === '.' && notation.thousands === ''
  const signs = isUsual ? '' : ` ${numberOptions(field, notation)}`
  return moneys.map((each) => ({ ...each, option: `${each.option}${signs}` }))
}

/** A column that has values beside its numbers needs its type to be stated. */
const moneyChoicesOf = ({ field, currencies }: ColumnProfile): readonly Choice[] =>
  moneyChoices(currencies.keys()).map((each) => ({
    ...each,
    option: currencies.size > 1 ? `--columns ${columnWord(field)}:numeric ${each.option}` : each.option,
  }))

/** Which currency an amount has is lost. */
export function moneyChoices(currencies: Iterable<string>): readonly Choice[] {
  const all = [...currencies]
  if (all.length < 2) return [{ option: '--money', meaning: 'numbers, without their currency' }]
  const ofOne = all.map((each) => ({
    option: `--money ${quoted(each)}`,
    meaning: 'records with other currencies are rejected',
  }))
  return [...ofOne, { option: '--money any', meaning: 'numbers, whatever their currency' }]
}

/** Where currencies are stated and not which one, and the amounts of a column of numbers have several. */
export function currencyQuestion({ field, stated, currencies }: ColumnProfile): Question | undefined {
  const [, other] = currencies.values()
  if (stated?.numbers?.money !== true || other === undefined) return undefined
  const about = `${field}, because of ${shownWitness(other)}`
  return { about, line: other.line, readings: moneyChoices(currencies.keys()) }
}

/** Of `1.234`, or of `1,234`. */
export function rivalChoices(field: string, rivals: Rivals): readonly [point: Choice, comma: Choice] {
  const [sign, name] = rivals[0].thousands === '' ? ['.', 'point'] : [',', 'comma']
  const choiceOf = (each: Numeral): Choice => ({
    option: numberOptions(field, each),
    meaning: `the ${name} stands ${each.decimal === sign ? 'before decimals' : 'between thousands'}`,
  })
  return [choiceOf(rivals[0]), choiceOf(rivals[1])]
}

/** Of one field. */
export const numberOptions = (field: string, { decimal, thousands }: Numeral): string =>
  [
    // Groups say enough of numbers with a decimal point.
    ...(decimal === ',' || thousands === '' ? [`--decimal ${quoted(`${field}=${decimal}`)}`] : []),
    ...(thousands === '' ? [] : [`--thousands ${quoted(`${field}=${thousands}`)}`]),
  ].join(' ')

const booleanPairs = [
  ['t', 'f'],
  ['y', 'n'],
  ['yes', 'no'],
  ['on', 'off'],
]

function codeChoices({ field, codes }: ColumnProfile): readonly Choice[] {
  const found = codeTexts.filter((_, index) => (codes & (1 << index)) !== 0).map((each) => each.toLowerCase())
  const isPair = booleanPairs.some((pair) => found.every((each) => pair.includes(each)))
  return isPair ? [{ option: `--columns ${columnWord(field)}:boolean`, meaning: 'true and false' }] : []
}
