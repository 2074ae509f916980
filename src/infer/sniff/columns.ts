/** The columns of a table: where header and records have different numbers of cells, and where names are missing. */
import type { StatedDialect } from '../../format/registry.ts'
import { counted } from '../../core/counted.ts'
import type { Findings } from './findings.ts'
import { shown, votesOf } from './header.ts'
import type { Kind } from './kinds.ts'
import type { Row } from './rows.ts'
import { bodyKinds, namesByOther } from './start.ts'

export interface Columns {
  readonly names: readonly string[]
  /** Whether they stand in place of the header. */
  readonly isStated: boolean
  readonly ragged?: StatedDialect['ragged'] | undefined
}

/** `goalWidth`: how many columns the table has to which the file goes. */
export function columnsOf(
  written: readonly string[],
  row: Row,
  body: readonly Row[],
  width: number,
  stated: StatedDialect,
  found: Findings,
  goalWidth: number | undefined,
): Columns {
  if (stated.names !== undefined) return { names: stated.names, isStated: true, ragged: stated.ragged }
  const records = body.filter(({ cells, isFlawed }) => cells.length === width && !isFlawed)
  const all = written.length === 0 ? Array.from({ length: width }, () => '') : written
  // A column without a value is none, unless cells without names are those of a table that has it.
  const isOfGoal = written.length === 0 && goalWidth === width
  const hollow = isOfGoal ? 0 : hollowColumns(all, records, width)
  const columns = width - hollow
  const surplus = hollow > 0 || isSurplusEmpty(body, columns, () => bodyKinds(records, width))
  if (hollow > 0)
    found.decide(
      'columns',
      String(columns),
      hollow === 1
        ? 'the last column has neither a name nor a value'
        : `the last ${hollow} columns have neither names nor values`,
    )
  else if (surplus && stated.ragged === undefined)
    found.decide('ragged', 'trim', 'the cells beyond the last column are empty')
  const { names, isStated } = namesFor(all, row, records, columns, found)
  const isShort = names.length > columns || (written.length === columns && areShort(body, columns))
  if (isShort) sayShort(names, row, columns, found)
  const ragged = stated.ragged ?? (isShort ? 'pad' : surplus ? 'trim' : undefined)
  // Where records may be trimmed, a header ends with its last name.
  return {
    names,
    isStated: isStated || (ragged !== undefined && ragged !== 'reject' && names.at(-1) === ''),
    ragged,
  }
}

/** Columns at the end that have neither a name nor a value in any row. */
function hollowColumns(names: readonly string[], records: readonly Row[], width: number): number {
  if (records.length === 0)
    return names.length - (names.findLastIndex((name) => name !== '') + 1 || names.length)
  const isEmpty = (column: number) =>
    records.every(({ cells, quoted }) => cells[column] === '' && !quoted.has(column))
  let last = width
  while (last > 1 && (names[last - 1] ?? '') === '' && isEmpty(last - 1)) last--
  return width - last
}

/** Whether some records have more cells than columns, all of them empty, and the others fit the columns. */
function isSurplusEmpty(body: readonly Row[], columns: number, kindsOf: () => readonly Kind[]): boolean {
  const wide = body.filter(({ cells, isFlawed }) => cells.length > columns && !isFlawed)
  const trimmed = wide.filter(({ cells, quoted }) =>
    cells.slice(columns).every((cell, index) => cell === '' && !quoted.has(columns + index)),
  )
  if (trimmed.length === 0) return false
  const kinds = kindsOf().slice(0, columns)
  const fits = trimmed.filter((row) => votesOf(row, kinds).names.length === 0)
  const isFull = ({ cells }: Row) => cells[columns - 1] !== ''
  return fits.length === trimmed.length && (trimmed.every(isFull) || trimmed.length * 2 > body.length)
}

/** The names of so many columns, where the header may have more or fewer, or cannot be read. */
function namesFor(
  written: readonly string[],
  row: Row,
  records: readonly Row[],
  columns: number,
  found: Findings,
): { names: readonly string[]; isStated: boolean } {
  const say = (because: string) =>
    found.decide('names', 'one for each cell of the records', because, row.line)
  if (row.isFlawed) {
    say('the header has a misplaced quote')
    return {
      names: fitted(
        written.map((name) => name.replaceAll(/["']/g, '').trim()),
        columns,
      ),
      isStated: true,
    }
  }
  if (written.length === columns) return { names: written, isStated: false }
  const [mark = '', ...marked] = written
  if (records.length > 0 && marked.length === columns && /^#\w*:?$/.test(mark)) {
    say(`${shown(mark)} only marks the header`)
    return { names: marked, isStated: true }
  }
  const other = namesByOther(row, columns)
  if (other !== undefined) {
    say('the header is written with another delimiter')
    return { names: other.map((name) => name.trim()), isStated: true }
  }
  const isWider = records.some(({ cells }) => cells.length < written.length)
  if (written.slice(columns).every((name) => name === '') && written.length > columns && !isWider)
    return { names: written.slice(0, columns), isStated: false }
  const filled = written.filter((name) => name !== '')
  if (filled.length === columns) {
    say('without its empty cells, the header has as many names')
    return { names: filled, isStated: true }
  }
  if (written.length > columns) return { names: written, isStated: false }
  const areLabels = written.length === columns - 1 && areRowNames(row, records)
  say(
    `the header has ${counted(written.length, 'name')} and the records have ${counted(columns, 'cell')}${areLabels ? '; the first cells name the rows' : ''}`,
  )
  return { names: areLabels ? ['', ...written] : fitted(written, columns), isStated: true }
}

const fitted = (names: readonly string[], columns: number): string[] =>
  Array.from({ length: columns }, (_, column) => names[column] ?? '')

/** Whether most records have fewer cells; a single one is a note. */
const areShort = (body: readonly Row[], columns: number): boolean =>
  body.filter(({ cells, isFlawed }) => cells.length > 1 && cells.length < columns && !isFlawed).length * 2 >
  body.length

/** Most records are short, so to refuse them would lose the file. */
function sayShort(names: readonly string[], row: Row, columns: number, found: Findings): void {
  const fewer = names.length > columns ? counted(columns, 'cell') : 'fewer cells'
  const because = `the header has ${names.length} names and most records ${fewer}`
  found.decide('ragged', 'pad: short records have no values in the last columns', because, row.line)
}

/** R writes the names of the rows, in quotes as those of the columns, without a name of their own. */
function areRowNames(header: Row, records: readonly Row[]): boolean {
  const firsts = new Set(records.map(({ cells }) => cells[0]))
  const areQuoted = records.every(({ quoted }) => quoted.has(0)) && header.quoted.size === header.cells.length
  return firsts.size > 0 && firsts.size === records.length && areQuoted
}
