/** What a first row says of itself where the kinds of the columns do not tell: names, or values like those below it. */
import { areMost, type Kind, kindOf, mostBody } from './kinds.ts'
import type { Row } from './rows.ts'

const valuesOf = (body: readonly Row[], column: number): string[] =>
  body
    .slice(0, mostBody)
    .map(({ cells }) => (cells[column] ?? '').trim())
    .filter((cell) => cell !== '')

export interface Misfit {
  readonly column: number
  /** What no name is, or a name hardly. */
  readonly what: string
}

/** The first cell of the row that is a value rather than a name. Names have few digits, and do not begin with a sign. */
export function misfitOf({ cells }: Row, body: readonly Row[], kinds: readonly Kind[]): Misfit | undefined {
  for (const [column, cell] of cells.entries()) {
    const text = cell.trim()
    if (isNoName(text)) return { column, what: 'is hardly a name' }
    if (kinds[column] === 'code' && isCodeAsBelow(text, () => valuesOf(body, column)))
      return { column, what: 'is a code, like those below it' }
  }
  const isLine = cells.length === 1 && kinds[0] === 'text'
  return isLine && hasDigitsAsBelow(cells[0] as string, body)
    ? { column: 0, what: 'has digits where the lines below it have some' }
    : undefined
}

const strange: ReadonlySet<Kind> = new Set(['url', 'email', 'uuid', 'datetime'])

/** An emoji, a number with a plus, `:grinning:`, or a value that is missing. */
const isNoName = (text: string): boolean =>
  /^(\+\d|:\S|\\N$|\p{Extended_Pictographic}\P{L}*$)/u.test(text) || strange.has(kindOf(text))

/** Made of the same signs as most cells below it, with more digits than a name such as `iso3`. */
function isCodeAsBelow(text: string, below: () => readonly string[]): boolean {
  if (!/\d.*\d/.test(text)) return false
  const cells = below()
  const signs = signsOf(text)
  return areMost(cells.filter((cell) => signsOf(cell) === signs).length, cells.length)
}

/** `A-9` for `CB-1234`. */
const signsOf = (text: string): string =>
  [
    ...new Set(
      text
        .replaceAll(/\d/g, '9')
        .replaceAll(/\p{Lu}/gu, 'A')
        .replaceAll(/\p{Ll}/gu, 'a'),
    ),
  ]
    .toSorted()
    .join('')

/** Of a line that no delimiter splits, as one of fixed width. */
function hasDigitsAsBelow(line: string, body: readonly Row[]): boolean {
  if (!/\d/.test(line)) return false
  const lines = body
    .slice(0, mostBody)
    .flatMap(({ cells: [cell = ''] }) => (cell.trim() === '' ? [] : [cell]))
  const areWith = (digit: (each: string) => boolean) => areMost(lines.filter(digit).length, lines.length)
  if (isOfDigits(line)) return areWith((each) => /\d/.test(each))
  // A name may end with a digit, and does not begin with one.
  const numbers = [...line.matchAll(/(?<=\s)[-+.]?\d\S*/g)]
  const places = numbers.flatMap(({ 0: { length }, index }) => Array.from({ length }, (_, at) => index + at))
  return places.some((at) => isDigit(line[at]) && areWith((each) => isDigit(each[at])))
}

const isDigit = (character = ''): boolean => character >= '0' && character <= '9'

const isOfDigits = (text: string): boolean =>
  text.replaceAll(/\D/g, '').length > text.replaceAll(/\P{L}/gu, '').length

/** Whether it is written like the rows below it: in small letters or capitals, of several words, with digits. Names mostly are not. */
export function isWrittenAsBelow({ cells }: Row, body: readonly Row[]): boolean {
  // A single row is like any other.
  if (body.length < 2) return false
  const filled = [...cells.entries()].filter(([, cell]) => cell.trim() !== '')
  const apart = filled.filter(([column, cell]) => {
    const form = formOf(cell)
    const below = valuesOf(body, column)
    return below.filter((each) => formOf(each) === form).length * 5 < below.length || below.length === 0
  })
  return apart.length * 2 < filled.length
}

function formOf(cell: string): string {
  const text = cell.trim()
  const letters = text === text.toLowerCase() ? 'a' : text === text.toUpperCase() ? 'A' : 'Aa'
  const digits = !/\d/.test(text) ? '' : isOfDigits(text) ? '9' : '1'
  return `${letters}${digits}${/\s/.test(text) ? ' ' : ''}${text.includes('_') ? '_' : ''}`
}
