/** From rows to a table: header, columns, and rows that have too many cells or are no records. */
import type { Dialect } from '../../format/registry.ts'
import { isBlank } from './dialects.ts'
import { counted, type Findings } from './findings.ts'
import { isHeader, shown, votesOf } from './header.ts'
import { isValue, type Kind } from './kinds.ts'
import type { Row } from './rows.ts'
import { bodyKinds, findStart, isHollow, namesByOther } from './start.ts'

/** The keys of a dialect that say where the records are and what their columns are called. */
export type Frame = Pick<Dialect, 'header' | 'skipLines' | 'headerRows' | 'names' | 'ragged'>

export interface Table {
  readonly frame: Frame
  /** Of the columns, as the header has them; empty for a column without a name. */
  readonly names: readonly string[]
  readonly body: readonly Row[]
  readonly kinds: readonly Kind[]
}

export function findTable(
  rows: readonly Row[],
  width: number,
  stated: Partial<Dialect>,
  found: Findings,
): Table {
  const start = stated.skipLines === undefined ? findStart(rows, width) : afterLines(rows, stated.skipLines)
  const first = rows[start]
  if (first === undefined)
    return { frame: { header: stated.header ?? true }, names: stated.names ?? [], body: [], kinds: [] }
  const below = rows.slice(start + 1)
  const kinds = bodyKinds(below.length === 0 ? [] : below, width)
  const header = headerOf(first, below, kinds, width, stated, found)
  const top = header ? afterRepeats(rows, start, kinds) : start
  const headerRows = header ? (stated.headerRows ?? headerRowsOf(rows, top, width, kinds, found)) : 0
  const body = rows.slice(top + headerRows)
  const skipLines = stated.skipLines ?? (rows[top] as Row).line - 1
  sayAbove(rows, start, top, stated, found)
  const written = header ? joined(rows.slice(top, top + headerRows)) : []
  const columns = columnsOf(written, rows[top] as Row, body, width, stated, found)
  const end = body[0]?.line ?? (rows.at(-1) as Row).line + 1
  return {
    frame: {
      ...frameOf(columns, skipLines, headerRows, end),
      ...(columns.ragged && { ragged: columns.ragged }),
    },
    names: columns.names,
    body,
    kinds,
  }
}

const afterLines = (rows: readonly Row[], lines: number): number => {
  const at = rows.findIndex((row) => row.line > lines && !isBlank(row))
  return at === -1 ? rows.length : at
}

/** Where the header cannot be read as it stands, it is passed over as lines, and the names are stated. */
function frameOf({ names, isStated }: Columns, skipLines: number, headerRows: number, end: number): Frame {
  const skipped = isStated && headerRows > 0 ? end - 1 : skipLines
  return {
    header: headerRows > 0 && !isStated,
    ...(skipped > 0 && { skipLines: skipped }),
    ...(headerRows > 1 && !isStated && { headerRows }),
    ...(isStated && { names }),
  }
}

function headerOf(
  first: Row,
  below: readonly Row[],
  kinds: readonly Kind[],
  width: number,
  stated: Partial<Dialect>,
  found: Findings,
): boolean {
  if (stated.header !== undefined) return stated.header
  if (stated.headerRows !== undefined) return true
  const records = below.filter(({ cells }) => cells.length === width)
  if (first.cells.length !== width) return true
  const { answer, because } = isHeader(first, records, kinds)
  found.decide('header', answer ? `line ${first.line}` : 'none', because, first.line)
  return answer
}

/** A header that stands several times is one. */
function afterRepeats(rows: readonly Row[], start: number, kinds: readonly Kind[]): number {
  const text = ({ cells }: Row) => JSON.stringify(cells)
  const first = rows[start] as Row
  if (votesOf(first, kinds).names.length === 0) return start
  let top = start
  while (rows[top + 1] !== undefined && text(rows[top + 1] as Row) === text(first)) top++
  return top
}

function sayAbove(
  rows: readonly Row[],
  start: number,
  top: number,
  stated: Partial<Dialect>,
  found: Findings,
): void {
  const [first, last] = [(rows[start] as Row).line, (rows[top] as Row).line]
  if (stated.skipLines === undefined && first > 1)
    found.decide('preamble', `${counted(first - 1, 'line')} left out`, `the table begins on line ${first}`, 1)
  if (top > start)
    found.decide('header', `line ${last}`, `line ${first} stands ${top - start + 1} times`, last)
}

/** The most rows of names. */
const mostHeaderRows = 4
const unit =
  /^([[(].{1,16}[\])]|[%‰°]|°[CFK]|deg[CF]?|[kcmµunMGT]?(m|g|s|W|V|A|Hz|Pa|J|K|l|L|Wh|bar|mol|B)([²³23]|[/ ][a-zA-Z0-9²³]+)?|min|h|ms|EUR|USD|CHF|GBP|€|\$|pcs|Stk\.?|ppm|lux|-)$/

/** Rows below the first that hold no values where the columns do. */
function headerRowsOf(
  rows: readonly Row[],
  top: number,
  width: number,
  kinds: readonly Kind[],
  found: Findings,
): number {
  let count = 1
  const values = kinds.filter(isValue).length
  while (count < mostHeaderRows) {
    const [above, row] = [rows[top + count - 1] as Row, rows[top + count]]
    if (row === undefined || row.cells.length !== width || row.isFlawed || isHollow(row)) break
    const votes = votesOf(row, kinds)
    if (votes.values.length > 0 || votes.names.length === 0) break
    const isUnits = votes.names.every((column) => unit.test((row.cells[column] as string).trim()))
    if (isUnits || !hasGaps(above)) {
      if (isUnits || (votes.names.length > 1 && votes.names.length === values))
        askForRow(row, count, isUnits, found)
      break
    }
    count++
    found.decide(
      'header',
      counted(count, 'row'),
      `line ${row.line} has names where the columns hold values`,
      row.line,
    )
  }
  return count
}

/** A row of groups names some columns only, or several alike. */
const hasGaps = ({ cells }: Row): boolean =>
  cells.some((cell) => cell.trim() === '') || new Set(cells).size < cells.length

function askForRow(row: Row, count: number, isUnits: boolean, found: Findings): void {
  const what = isUnits ? 'units' : 'names'
  found.ask(
    `it looks like a row of ${what} below the header, such as ${shown(row.cells.find((cell) => cell.trim() !== '') ?? '')}`,
    row.line,
    [
      { option: `--header-rows ${count + 1}`, meaning: `its ${what} join the names above it` },
      { option: `--header-rows ${count}`, meaning: 'it is a record' },
    ],
  )
}

/** Names of several rows, joined by a space. */
const joined = (rows: readonly Row[]): string[] =>
  Array.from({ length: Math.max(0, ...rows.map(({ cells }) => cells.length)) }, (_, column) =>
    rows
      .map(({ cells }) => (cells[column] ?? '').trim())
      .filter((name) => name !== '')
      .join(' '),
  )

interface Columns {
  readonly names: readonly string[]
  /** Whether they stand in place of the header. */
  readonly isStated: boolean
  readonly ragged?: 'trim' | undefined
}

function columnsOf(
  written: readonly string[],
  row: Row,
  body: readonly Row[],
  width: number,
  stated: Partial<Dialect>,
  found: Findings,
): Columns {
  if (stated.names !== undefined)
    return { names: stated.names, isStated: true, ragged: stated.ragged as 'trim' | undefined }
  const records = body.filter(({ cells, isFlawed }) => cells.length === width && !isFlawed)
  const all = written.length === 0 ? Array.from({ length: width }, () => '') : written
  const hollow = hollowColumns(all, records, width)
  const columns = width - hollow
  const surplus = hollow > 0 || isSurplusEmpty(body, columns, bodyKinds(records, width))
  if (hollow > 0)
    found.decide(
      'columns',
      String(columns),
      `${hollow === 1 ? 'the last column has' : `the last ${hollow} columns have`} neither names nor values`,
    )
  else if (surplus) found.decide('ragged', 'trim', 'the cells beyond the last column are empty')
  const ragged = stated.ragged ?? (surplus ? 'trim' : undefined)
  const { names, isStated } = namesFor(all, row, records, columns, found)
  return { names, isStated, ragged: ragged as 'trim' | undefined }
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
function isSurplusEmpty(body: readonly Row[], columns: number, kinds: readonly Kind[]): boolean {
  const wide = body.filter(({ cells, isFlawed }) => cells.length > columns && !isFlawed)
  const trimmed = wide.filter(({ cells, quoted }) =>
    cells.slice(columns).every((cell, index) => cell === '' && !quoted.has(columns + index)),
  )
  const fits = trimmed.filter((row) => votesOf(row, kinds.slice(0, columns)).names.length === 0)
  const isFull = ({ cells }: Row) => cells[columns - 1] !== ''
  return (
    trimmed.length > 0 &&
    fits.length === trimmed.length &&
    (trimmed.every(isFull) || trimmed.length * 2 > body.length)
  )
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
    say('a quote in the header is amiss')
    return {
      names: fitted(
        written.map((name) => name.replaceAll(/["']/g, '').trim()),
        columns,
      ),
      isStated: true,
    }
  }
  if (written.length === columns) return { names: written, isStated: false }
  const other = namesByOther(row, columns)
  if (other !== undefined) {
    say('the header is written with another delimiter')
    return { names: other.map((name) => name.trim()), isStated: true }
  }
  if (written.slice(columns).every((name) => name === '') && written.length > columns)
    return { names: written.slice(0, columns), isStated: false }
  const filled = written.filter((name) => name !== '')
  if (filled.length === columns) {
    say('without its empty cells the header has as many')
    return { names: filled, isStated: true }
  }
  if (written.length > columns) {
    askForShort(written, row, columns, found)
    return { names: written, isStated: false }
  }
  const areLabels = written.length === columns - 1 && areRowNames(row, records)
  say(
    `the header has ${written.length} and the records ${columns}${areLabels ? '; the first cells name the rows' : ''}`,
  )
  return { names: areLabels ? ['', ...written] : fitted(written, columns), isStated: true }
}

const fitted = (names: readonly string[], columns: number): string[] =>
  Array.from({ length: columns }, (_, column) => names[column] ?? '')

function askForShort(written: readonly string[], row: Row, columns: number, found: Findings): void {
  const names = written.slice(columns).map(shown).join(', ')
  found.ask(`the header has ${written.length} names and the records ${columns} cells`, row.line, [
    {
      option: '--ragged pad',
      meaning: `${names} ${written.length - columns === 1 ? 'has' : 'have'} no values`,
    },
    { option: '--ragged reject', meaning: 'such records are refused' },
  ])
}

/** R writes the names of the rows, in quotes as those of the columns, without a name of their own. */
function areRowNames(header: Row, records: readonly Row[]): boolean {
  const firsts = new Set(records.map(({ cells }) => cells[0]))
  const areQuoted = records.every(({ quoted }) => quoted.has(0)) && header.quoted.size === header.cells.length
  return firsts.size > 0 && firsts.size === records.length && areQuoted
}
