/**
 * The text of a value → the text that the column's type reads, no value, or a fault. In this order: trimming,
 * texts that mean no value, Excel's `="…"`, and then numbers and times in the columns that hold them.
 */
import type { Fault } from '../../core/fault.ts'
import { found, visible } from '../../core/found.ts'
import type { Notation, Notations } from '../../core/notation.ts'
import { withoutBlanks } from '../../core/text.ts'
import type { ColumnType } from '../columns.ts'
import { type EpochReader, epochReader } from './epoch.ts'
import type { Instant } from './instant.ts'
import { type Holds, holds, isTimes, ofNumbers, ofTimes } from './holds.ts'
import { numberExample, numberProblems, numberRewrite } from './number.ts'
import { roundedTo, scaleOf } from './round.ts'
import { hasDate, patternProblems, patternReader } from './pattern.ts'

/** Null is no value. */
export type Written = (text: string) => string | null | Fault

/** What is wrong with a notation, whatever the column; it may come from outside, as a layout does. */
export function* notationProblems(notation: Notation): Generator<string> {
  const wrong = Object.entries(notation).find(([name, value]) => {
    const accepts = Object.hasOwn(shapes, name) ? shapes[name as keyof Notation] : undefined
    return value !== undefined && accepts?.(value) !== true
  })
  if (wrong !== undefined) {
    yield `${wrong[0]} cannot be ${JSON.stringify(wrong[1])}`
    return
  }
  yield* numberProblems(notation)
  const { pattern, epoch } = notation
  if (pattern !== undefined)
    for (const problem of patternProblems(pattern)) yield `the pattern '${pattern}': ${problem}`
  if (pattern !== undefined && epoch !== undefined) yield 'pattern and epoch do not go together'
}

/** What is wrong with what a layout states, which may come from outside. */
export function notationsProblem({ notation, notations = {} }: Notations): string | undefined {
  if (!isObject(notations) || (notation !== undefined && !isObject(notation))) return 'it is no object'
  for (const [field, each] of [['', notation ?? {}] as const, ...Object.entries(notations)]) {
    if (!isObject(each)) return 'it is no object'
    for (const problem of notationProblems(asInLayout(each)))
      return field === '' ? problem : `${field}: ${problem}`
  }
  return undefined
}

/** Without what a reading states only against what is found in a file: in a layout it is the default. The order of the keys counts. */
export const asInLayout = (notation: Notation): Notation =>
  Object.fromEntries(
    Object.entries(notation)
      .filter(([key, value]) => key !== 'decimal' || value !== '.')
      .map(([key, value]) => [key, key === 'money' && value === 'any' ? true : value]),
  )

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTrue = (value: unknown): boolean => value === true
const isText = (value: unknown): boolean => typeof value === 'string'

const shapes: Readonly<Record<keyof Notation, (value: unknown) => boolean>> = {
  trim: isTrue,
  nulls: (value) => Array.isArray(value) && value.every(isText),
  decimal: (value) => value === ',',
  thousands: isText,
  money: (value) => value === true || isText(value),
  percent: isTrue,
  round: isTrue,
  pattern: isText,
  epoch: (value) => ['s', 'ms', 'us', 'excel'].includes(value as string),
  excelText: isTrue,
}

/** Why the notation, stated for a column of the type, can mean nothing there. */
export function* unsuited(notation: Notation, type: ColumnType): Generator<string> {
  const held = holds(type)
  if (held === 'any') return
  const { pattern, epoch, percent } = notation
  if (ofTimes(notation) && !isTimes(held)) yield 'pattern and epoch are for columns of dates and times'
  else if (pattern !== undefined && held === 'time' && hasDate(pattern)) yield `a time has no date`
  else if (pattern !== undefined && held !== 'time' && !hasDate(pattern)) yield `its pattern has no date`
  if (epoch !== undefined && held === 'time') yield 'epoch is for dates and timestamps'
  if (ofNumbers(notation) && held !== 'number' && epoch === undefined)
    yield 'decimal, thousands, money and percent are for columns of numbers'
  if (notation.round === true && held !== 'number') yield 'round is for columns of numbers'
  if (percent === true && (type.kind === 'integer' || type.kind === 'bigint'))
    yield 'a percentage is a fraction: use numeric() or doublePrecision()'
}

/** `nullIf`: more texts that mean no value. */
export function writtenBy(notation: Notation, type: ColumnType, nullIf: readonly string[] = []): Written {
  const texts = textWritten(notation, nullIf)
  const values = valueWritten(notation, type)
  if (values === undefined) return texts
  return (text) => {
    const plain = texts(text)
    return plain === null ? null : values(plain)
  }
}

/** The part of a notation that holds for columns of every type. */
export function textWritten(
  { trim, nulls = [], excelText }: Notation,
  nullIf: readonly string[] = [],
): (text: string) => string | null {
  const none = new Set([...nulls, ...nullIf])
  return (text) => {
    const plain = trim === true ? withoutBlanks(text) : text
    if (none.has(plain) || (plain === '' && text !== '')) return null
    return excelText === true && isExcelText(plain) ? plain.slice(2, -1).replaceAll('""', '"') : plain
  }
}

const isExcelText = (text: string): boolean => /^="(?:[^"]|"")*"$/s.test(text)

/** The part that holds for columns of numbers and times; undefined where there is none for the type. */
export function valueWritten(
  notation: Notation,
  type: ColumnType,
): ((text: string) => string | Fault) | undefined {
  const held = holds(type)
  const { pattern, epoch } = notation
  const times = isTimes(held) || held === 'any'
  if (pattern !== undefined && times) {
    const read = patternReader(pattern)
    return (text) => formOf(read(text), text, held, `written ${pattern}`)
  }
  const numbers = roundedNumbers(
    ofNumbers(notation) ? numberWritten(notation, type.kind) : undefined,
    notation,
    type,
  )
  if (epoch !== undefined && times) {
    const read = epochReader(epoch)
    return (text) => {
      const digits = numbers === undefined ? text : numbers(text)
      if (typeof digits !== 'string') return digits
      return formOf(inUtc(read(digits), held), text, held, epochNames[epoch])
    }
  }
  return held === 'number' || held === 'any' ? numbers : undefined
}

function roundedNumbers(
  numbers: ((text: string) => string | Fault) | undefined,
  { round }: Notation,
  type: ColumnType,
): typeof numbers {
  const scale = round === true ? scaleOf(type) : undefined
  if (scale === undefined) return numbers
  return (text) => {
    const plain = numbers === undefined ? text : numbers(text)
    return typeof plain === 'string' ? roundedTo(scale, plain) : plain
  }
}

/** With its offset, where the column keeps one. */
const inUtc = (instant: ReturnType<EpochReader>, held: Holds): ReturnType<EpochReader> =>
  typeof instant === 'object' && (held === 'timestamptz' || held === 'any')
    ? { ...instant, offset: 'Z' }
    : instant

const epochNames = {
  s: 'in seconds since 1970',
  ms: 'in milliseconds since 1970',
  us: 'in microseconds since 1970',
  excel: 'as a day number of Excel',
} as const

function numberWritten(notation: Notation, kind: string): (text: string) => string | Fault {
  const rewrite = numberRewrite(notation)
  const code = kind === 'integer' || kind === 'bigint' ? 'BAD_INTEGER' : 'BAD_NUMBER'
  const detail = `is not a number written like ${visible(numberExample(notation))}`
  return (text) => rewrite(text) ?? { code, detail: `${quoted(text)} ${detail}` }
}

/** The form that a column of dates or times reads. */
function formOf(
  instant: Instant | 'lossy' | undefined,
  text: string,
  held: Holds,
  how: string,
): string | Fault {
  const name = held === 'date' ? 'date' : held === 'time' ? 'time' : 'timestamp'
  const bad = (): Fault => ({
    code: name === 'date' ? 'BAD_DATE' : name === 'time' ? 'BAD_TIME' : 'BAD_TIMESTAMP',
    detail: `${quoted(text)} is not a ${name} ${visible(how)}`,
  })
  if (instant === undefined) return bad()
  if (instant === 'lossy')
    return { code: 'PRECISION_LOST', detail: `${quoted(text)} is finer than a microsecond` }
  const { date, time, offset = '' } = instant
  if (offset !== '' && (held === 'date' || held === 'timestamp'))
    return { code: 'ZONE_NOT_ALLOWED', detail: `${quoted(text)} has a zone, the column keeps none` }
  switch (held) {
    case 'time':
      return date === undefined && time !== undefined ? time : bad()
    case 'date':
      if (date === undefined) return bad()
      return time === undefined || /^[0:.]*$/.test(time)
        ? date
        : { code: 'PRECISION_LOST', detail: `${quoted(text)} has a time of day, the column keeps none` }
    case 'timestamp':
    case 'timestamptz':
      return date === undefined ? bad() : `${date} ${time ?? '00:00:00'}${offset}`
    default:
      return [date, time].filter((part) => part !== undefined).join(' ') + offset
  }
}

function quoted(text: string): string {
  const bytes = Buffer.from(text)
  return found(bytes, 0, bytes.length)
}
