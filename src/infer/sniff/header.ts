/** Which rows hold names and which hold values: told by the columns below them. */
import { isValue, type Kind, kindOf, kindOfColumn } from './kinds.ts'
import type { Row } from './rows.ts'

/** What the columns say of a row above them. */
export interface Votes {
  /** Columns of values in which it has a text: it holds names. */
  readonly names: readonly number[]
  /** Columns of values in which it has such a value: it is a record. */
  readonly values: readonly number[]
}

/** Rows that are looked at: enough to know what a column holds. */
const mostBody = 200

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

/**
 * Whether the first row holds names. Where columns of texts say nothing, it does, as RFC 4180 expects; unless it names
 * two columns alike or its own texts come again below.
 */
export function isHeader(
  row: Row,
  body: readonly Row[],
  kinds: readonly Kind[],
): { answer: boolean; because: string } {
  const { names, values } = votesOf(row, kinds)
  const example = (columns: readonly number[]) => shown(row.cells[columns[0] as number] ?? '')
  const kind = kinds[(names[0] ?? values[0]) as number]
  if (values.length > 0 && isSequence(row, body, values))
    return {
      answer: true,
      because: `${example(values)} and those beside it count on, and the values below do not`,
    }
  if (names.length > values.length)
    return { answer: true, because: `${example(names)} stands above a column of ${plural(kind)}` }
  if (values.length > 0)
    return {
      answer: false,
      because: `column ${(values[0] as number) + 1} of its first line is a ${kinds[values[0] as number]} like those below it`,
    }
  if (body.length === 0) return loneHeader(row)
  if (recurs(row, body)) return { answer: false, because: 'its texts come again in the lines below it' }
  return { answer: true, because: 'the first line names the columns unless its values show otherwise' }
}

const plural = (kind: Kind | undefined): string =>
  kind === 'boolean' ? 'true and false' : kind === 'code' ? 'codes' : `${kind ?? 'value'}s`

/** Of a file of one line: names are texts. */
function loneHeader({ cells }: Row): { answer: boolean; because: string } {
  const answer = !cells.some((cell) => isValue(kindOf(cell)))
  return { answer, because: answer ? 'its only line holds no values' : 'its only line holds values' }
}

const year = /^(1[89]|20)\d\d$/

/** Years and numbers as names: each one more than the one before, by the same step, and not so below. */
function isSequence({ cells }: Row, body: readonly Row[], columns: readonly number[]): boolean {
  if (columns.length < 2) return false
  const steps = (row: readonly string[]) => {
    const numbers = columns.map((column) =>
      /^\d{1,4}$/.test(row[column] ?? '') ? Number(row[column]) : Number.NaN,
    )
    return numbers.slice(1).map((each, index) => each - (numbers[index] as number))
  }
  const [step, ...rest] = steps(cells)
  const isEven = step !== undefined && (Math.abs(step) === 1 || Math.abs(step) === 5 || Math.abs(step) === 10)
  if (!isEven || !rest.every((each) => each === step)) return false
  const areYears = (row: readonly string[]) => columns.every((column) => year.test(row[column] ?? ''))
  if (columns.length === 2 && !areYears(cells)) return false
  const isAlike = areYears(cells)
    ? areYears
    : (row: readonly string[]) => steps(row).every((each) => each === step)
  const alike = body.slice(0, mostBody).filter((row) => isAlike(row.cells))
  return alike.length * 2 < Math.min(body.length, mostBody)
}

/** Whether most of its texts are values of the columns below them, which names are not. */
function recurs({ cells }: Row, body: readonly Row[]): boolean {
  if (body.length < 3) return false
  const rows = body.slice(0, mostBody).filter((row) => row.cells.join('\n') !== cells.join('\n'))
  const filled = cells.map((cell, column) => ({ cell, column })).filter(({ cell }) => cell.trim() !== '')
  const again = filled.filter(({ cell, column }) => rows.some((row) => row.cells[column] === cell))
  return filled.length > 1 && again.length * 2 > filled.length
}

const mostShown = 30

export const shown = (cell: string): string => {
  const text = cell.replaceAll(/\s+/g, ' ').trim()
  return JSON.stringify(text.length > mostShown ? `${text.slice(0, mostShown)}…` : text)
}
