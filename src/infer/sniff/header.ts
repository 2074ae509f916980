/** Which rows hold names and which hold values: told by the columns below them. */
import type { StatedDialect } from '../../format/registry.ts'
import type { Findings } from './findings.ts'
import { isValue, type Kind, kindOf, kindOfColumn, mostBody } from './kinds.ts'
import { isWrittenAsBelow, misfitOf } from './likeness.ts'
import type { Row } from './rows.ts'

/** What the columns say of a row above them. */
export interface Votes {
  /** Columns of values in which it has a text: it holds names. */
  readonly names: readonly number[]
  /** Columns of values in which it has such a value: it is a record. */
  readonly values: readonly number[]
}

/** Kinds of the columns of these rows. */
export function kindsOf(body: readonly Row[], width: number): Kind[] {
  const rows = body.slice(0, mostBody).filter((row) => row.cells.length === width && !row.isFlawed)
  return Array.from({ length: width }, (_, column) =>
    kindOfColumn(rows.map(({ cells }) => cells[column] ?? '')),
  )
}

export function votesOf({ cells }: Row, kinds: readonly Kind[]): Votes {
  const names: number[] = []
  const values: number[] = []
  for (const [column, kind] of kinds.entries()) {
    const own = kindOf(cells[column] ?? '')
    if (own === 'empty') continue
    if (isValue(kind)) (own === kind ? values : names).push(column)
    else if (kind === 'code' && own === 'text') names.push(column)
  }
  return { names, values }
}

export interface Verdict {
  readonly answer: boolean
  readonly because: string
  /** Whether the columns told it. */
  readonly isTold: boolean
  /** Whether the row may hold names all the same: one of them is a year, and no value below it is. */
  readonly mayBeYear?: boolean
  /** Whether nothing tells the row from a record. */
  readonly isGuess?: boolean
}

/**
 * Whether the first row holds names. Where columns of texts say nothing, it does, as RFC 4180 expects, unless
 * its own texts come again below, or one of them is no name.
 */
export function isHeader(row: Row, body: readonly Row[], kinds: readonly Kind[]): Verdict {
  const { names, values } = votesOf(row, kinds)
  const example = (columns: readonly number[]) => shown(row.cells[columns[0] as number] ?? '')
  const verdict = (answer: boolean, because: string, isTold = true) => ({ answer, because, isTold })
  const kind = kinds[(names[0] ?? values[0]) as number]
  const years = row.cells.flatMap((cell, column) => (year.test(cell.trim()) ? [column] : []))
  if (years.length > 1 && isSequence(row, body, years, false))
    return verdict(
      true,
      `${example(years)} and the years beside it form a sequence, and the values below do not`,
    )
  if (isSequence(row, body, values, names.length > 0))
    return verdict(
      true,
      `${example(values)} and the cells beside it form a sequence, and the values below do not`,
    )
  if (names.length > values.length)
    return verdict(true, `${example(names)} stands above a column of ${plural(kind)}`)
  const value = values[0]
  if (value !== undefined) {
    const because = `column ${value + 1} holds ${plural(kinds[value])} from the first line on`
    return { ...verdict(false, because), mayBeYear: values.length === 1 && isLoneYear(row, body, value) }
  }
  if (body.length === 0) return loneHeader(row)
  if (recurs(row, body)) return verdict(false, 'most of its texts appear again in the lines below')
  const misfit = misfitOf(row, body, kinds)
  if (misfit !== undefined) return verdict(false, `${example([misfit.column])} ${misfit.what}`)
  return {
    ...verdict(true, 'nothing suggests that the first line is a record', false),
    isGuess: isWrittenAsBelow(row, body),
  }
}

const plural = (kind: Kind | undefined): string =>
  kind === 'boolean' ? 'true and false' : kind === 'code' ? 'codes' : `${kind ?? 'value'}s`

/** Of a file of one line: names are texts. */
function loneHeader({ cells }: Row): Verdict {
  const answer = !cells.some((cell) => isValue(kindOf(cell)))
  return {
    answer,
    because: answer ? 'its only line holds no values' : 'its only line holds values',
    isTold: false,
  }
}

export const year = /^(1[89]|20)\d\d$/

/**
 * Years, numbers that count on, and numbers that grow beside a name: names, unless most rows below are like them.
 */
function isSequence(
  { cells }: Row,
  body: readonly Row[],
  columns: readonly number[],
  isNamed: boolean,
): boolean {
  const numbersOf = (row: readonly string[]) =>
    columns.map((column) => (/^ *\d+(\.\d+)? *$/.test(row[column] ?? '') ? Number(row[column]) : Number.NaN))
  const grows = (row: readonly string[]) => stepsOf(numbersOf(row)).every((step) => step > 0)
  if (columns.length < 2 || !grows(cells)) return false
  if (isNamed && columns.length > 4) return true
  const areYears = (row: readonly string[]) =>
    columns.every((column) => year.test(row[column]?.trim() ?? '')) && grows(row)
  const [step, ...rest] = stepsOf(numbersOf(cells))
  const counts = (row: readonly string[]) => stepsOf(numbersOf(row)).every((each) => each === step)
  const isCount =
    columns.length > 2 && (step === 1 || step === 5 || step === 10) && rest.every((each) => each === step)
  if (!areYears(cells) && !isCount) return false
  const alike = body.slice(0, mostBody).filter((row) => (areYears(cells) ? areYears : counts)(row.cells))
  return alike.length * 2 < Math.min(body.length, mostBody)
}

/** A year above values that are none. */
const isLoneYear = ({ cells }: Row, body: readonly Row[], column: number): boolean =>
  cells.length > 1 &&
  year.test(cells[column] ?? '') &&
  !body.some((row) => year.test(row.cells[column] ?? ''))

const stepsOf = (numbers: readonly number[]): number[] =>
  numbers.slice(1).map((each, index) => each - (numbers[index] as number))

/** Whether most of its texts are values of the columns below them, which names are not. */
function recurs({ cells }: Row, body: readonly Row[]): boolean {
  if (body.length < 3) return false
  const rows = body.slice(0, mostBody).filter((row) => row.cells.join('\n') !== cells.join('\n'))
  const filled = cells.map((cell, column) => ({ cell, column })).filter(({ cell }) => cell.trim() !== '')
  const again = filled.filter(({ cell, column }) => rows.some((row) => row.cells[column] === cell))
  return filled.length > 1 && again.length * 2 > filled.length
}

/** Whether a row has the width and the type of each column, and nothing else: `5s`, `15n`, `20d`. */
const areFormats = ({ cells }: Row): boolean =>
  cells.length > 1 && cells.every((cell) => /^\d+[sdn]$/.test(cell))

/** The row of formats that RDB files have right below their header: nothing else is written so. */
export function formatsBelow(
  rows: readonly Row[],
  start: number,
  { header, headerRows }: StatedDialect,
  found: Findings,
): Row | undefined {
  const [first, row, next] = [rows[start], rows[start + 1], rows[start + 2]]
  if (header === false || headerRows !== undefined || first === undefined || row === undefined)
    return undefined
  if (row.cells.length !== first.cells.length || !areFormats(row) || areFormats(first)) return undefined
  if (next !== undefined && areFormats(next)) return undefined
  const because = `line ${row.line} has the width and the type of each column, such as ${shown(row.cells[0] as string)}`
  found.decide('formats', '1 line left out', because, row.line)
  return row
}

const mostShown = 30

export const shown = (cell: string): string => {
  const text = cell.replaceAll(/\s+/g, ' ').trim()
  return JSON.stringify(text.length > mostShown ? `${text.slice(0, mostShown)}…` : text)
}
