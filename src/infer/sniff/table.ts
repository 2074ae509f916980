/** From rows to a table: header, columns, and rows that have too many cells or are no records. */
import type { StatedDialect } from '../../format/registry.ts'
import { type Columns, columnsOf } from './columns.ts'
import { isBlank, isRemark, widthBelow } from './widths.ts'
import { matchFields } from '../../model/match.ts'
import type { TableFacts } from '../../model/table.ts'
import { counted } from '../../core/counted.ts'
import type { Findings } from './findings.ts'
import { formatsBelow, isHeader, shown, votesOf, year } from './header.ts'
import { isValue, type Kind, kindOf } from './kinds.ts'
import type { Row } from './rows.ts'
import { bodyKinds, findStart, isHollow } from './start.ts'

/** The keys of a dialect that say where the records are and what their columns are called. */
export type Frame = Pick<StatedDialect, 'header' | 'skipLines' | 'headerRows' | 'names' | 'ragged'>

export interface Table {
  readonly frame: Frame
  /** Of the columns, as the header has them; empty for a column without a name. */
  readonly names: readonly string[]
  readonly body: readonly Row[]
  readonly kinds: readonly Kind[]
}

/** A table of a database, whose columns a header may name. */
export type HeaderTable = Pick<TableFacts, 'columns'>

export function findTable(
  read: readonly Row[],
  most: number,
  stated: StatedDialect,
  found: Findings,
  goal?: HeaderTable,
): Table {
  const start = stated.skipLines === undefined ? findStart(read, most) : afterLines(read, stated.skipLines)
  const formats = formatsBelow(read, start, stated, found)
  const rows = formats === undefined ? read : read.toSpliced(start + 1, 1)
  const first = rows[start]
  if (first === undefined || rows.every(isBlank))
    return { frame: { header: stated.header ?? true }, names: stated.names ?? [], body: [], kinds: [] }
  const below = rows.slice(start + 1)
  const width = stated.header === false ? most : widthBelow(first, below, most, found)
  const kinds = bodyKinds(below, width)
  const header =
    formats !== undefined ||
    isStatedBy(goal, first, stated, found) ||
    headerOf(first, below, kinds, width, stated, found)
  const isFirst = header && (width > 1 || votesOf(first, kinds).names.length > 0)
  const top = isFirst
    ? afterRepeats(rows, start, kinds)
    : firstRecord(rows, start, width, kinds, stated, found)
  const headerRows = header ? (stated.headerRows ?? headerRowsOf(rows, top, width, kinds, found)) : 0
  const body = rows.slice(top + headerRows)
  // The reader passes over comments and empty lines where comments are stated.
  const isBare = stated.comment !== undefined && rows.slice(0, top).every(isBlank)
  const skipLines = stated.skipLines ?? (isBare ? 0 : (rows[top] as Row).line - 1)
  if (!isBare) sayAbove(rows, Math.min(start, top), top, stated, found)
  const written = header ? joined(rows.slice(top, top + headerRows)) : []
  const columns = columnsOf(
    written,
    rows[header ? top : start] as Row,
    body,
    width,
    stated,
    found,
    widthOf(goal),
  )
  const end = body[0]?.line ?? (read.at(-1) as Row).line + 1
  const isStated = columns.isStated || formats !== undefined
  return {
    frame: {
      ...frameOf({ ...columns, isStated }, skipLines, headerRows, end),
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
    // Columns without names are those of the table that they go to.
    ...(isStated && names.some((name) => name !== '') && { names }),
  }
}

const widthOf = (goal: HeaderTable | undefined): number | undefined =>
  goal?.columns.filter(({ generated }) => !generated).length

/** Whether the table has a column for each cell, which is then its name. */
function isStatedBy(
  goal: HeaderTable | undefined,
  { cells, line }: Row,
  stated: StatedDialect,
  found: Findings,
): boolean {
  if (stated.header !== undefined || stated.headerRows !== undefined || !isNamedBy(goal, cells)) return false
  found.decide('header', `line ${line}`, 'the table has the columns that it names', line)
  return true
}

/** Whether these are names of the table's columns. */
export function isNamedBy(goal: HeaderTable | undefined, cells: readonly string[]): boolean {
  const names = cells.map((cell) => cell.trim()).filter((name) => name !== '')
  return goal !== undefined && names.length > 0 && matchFields(names, goal, {}).problems.length === 0
}

function headerOf(
  first: Row,
  below: readonly Row[],
  kinds: readonly Kind[],
  width: number,
  stated: StatedDialect,
  found: Findings,
): boolean {
  if (stated.header !== undefined) return stated.header
  if (stated.headerRows !== undefined) return true
  const records = below.filter(({ cells }) => cells.length === width)
  if (first.cells.length !== width) return true
  const { answer, because, mayBeYear, isGuess } = isHeader(first, records, kinds)
  if (mayBeYear)
    found.ask('this line may be the header, with a year as a name, or a record', first.line, [
      { option: '--header-rows 1', meaning: 'it is the header' },
      { option: '--no-header', meaning: 'it is a record' },
    ])
  if (isGuess)
    found.ask(
      'this line is written like those below it',
      first.line,
      [{ option: '--no-header', meaning: 'it is a record' }],
      'it is the header',
    )
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

/**
 * Without a header, or with one text above others, nothing tells a line above from a record that is amiss: only
 * empty lines and comments are left out.
 */
function firstRecord(
  rows: readonly Row[],
  start: number,
  width: number,
  kinds: readonly Kind[],
  stated: StatedDialect,
  found: Findings,
): number {
  if (stated.skipLines !== undefined) return start
  const above = rows.slice(0, start).filter((row) => !isBlank(row))
  const tagged = above.find((row) => isRemark(row) && isLikeRecord(row, width, kinds))
  if (tagged !== undefined)
    found.ask('this line begins with #, like a comment, but has as many cells as a record', tagged.line, [
      { option: "--comment '#'", meaning: `${counted(rows.filter(isRemark).length, 'line')} left out` },
      { option: `--skip-lines ${tagged.line - 1}`, meaning: 'it is a record' },
    ])
  const other = above.find((row) => !isRemark(row))
  if (other !== undefined && other.cells.length !== width)
    found.ask(
      'the file has no header, and this line has another number of cells than the records below it',
      other.line,
      [
        {
          option: `--skip-lines ${(rows[start] as Row).line - 1}`,
          meaning: 'what stands above them is left out',
        },
      ],
      'it is rejected',
    )
  const first = above.find((row) => row === tagged || row === other)
  return first === undefined ? start : rows.indexOf(first)
}

/** Whether a line that begins with `#` may be a record: it has values of the columns, or no blank behind its `#`. */
function isLikeRecord(row: Row, width: number, kinds: readonly Kind[]): boolean {
  if (row.cells.length !== width) return false
  const { names, values } = votesOf(row, kinds)
  return names.length === 0 && (values.length > 0 || !/^#+(\s|$)/.test(row.cells[0] as string))
}

function sayAbove(
  rows: readonly Row[],
  start: number,
  top: number,
  stated: StatedDialect,
  found: Findings,
): void {
  const [first, last] = [(rows[start] as Row).line, (rows[top] as Row).line]
  if (stated.skipLines === undefined && first > 1)
    found.decide('preamble', `${counted(first - 1, 'line')} left out`, `the table begins on line ${first}`, 1)
  if (top > start) found.decide('header', `line ${last}`, `line ${first} is repeated`, last)
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
  const told = kinds.flatMap((kind, column) => (isValue(kind) || kind === 'code' ? [column] : []))
  while (count < mostHeaderRows) {
    const [above, row] = [rows[top + count - 1] as Row, rows[top + count]]
    const names = namesOf(row, width, kinds)
    if (row === undefined || names.length === 0) break
    const isUnits = names.every((column) => unit.test((row.cells[column] as string).trim()))
    if (isUnits || !hasGaps(above)) {
      // The first column, which names the rows, often has no unit.
      const open = told.filter((column) => !names.includes(column))
      const isNamed = names.length > 1 && open.every((column) => column === 0 && row.cells[column] === '')
      if (isUnits || isNamed) askForRow(row, lastNamed(rows, top + count, width, kinds) - top, isUnits, found)
      return count
    }
    count++
    found.decide(
      'header',
      counted(count, 'row'),
      `line ${row.line} has names where the lines below have values`,
      row.line,
    )
  }
  const [last, next] = [rows[top + count - 1] as Row, rows[top + count]]
  // Notes above the names, rather than groups of them; or notes below them, one for each column.
  if (count > 2 && !hasGaps(last)) askForRow(last, count - 1, false, found)
  else if (count === mostHeaderRows && next !== undefined && isNoRecord(next, kinds))
    askForRow(next, count, false, found)
  return count
}

/** Whether it has other cells where the columns hold values, and no value. */
function isNoRecord(row: Row, kinds: readonly Kind[]): boolean {
  const { names, values } = votesOf(row, kinds)
  return row.cells.length === kinds.length && names.length > 0 && values.length === 0
}

/** Columns of values in which the row has texts and nothing else; none where it may be a record. */
function namesOf(row: Row | undefined, width: number, kinds: readonly Kind[]): readonly number[] {
  if (row === undefined || row.cells.length !== width || row.isFlawed || isHollow(row)) return []
  const { names, values } = votesOf(row, kinds)
  return values.length > 0 || row.cells.some(isNoName) ? [] : names
}

/** The last of several such rows, of which one is at `from`. */
function lastNamed(rows: readonly Row[], from: number, width: number, kinds: readonly Kind[]): number {
  let last = from
  while (namesOf(rows[last + 1], width, kinds).length > 0) last++
  return last
}

/** A value, unless it is a year. */
const isNoName = (cell: string): boolean => isValue(kindOf(cell)) && !year.test(cell.trim())

/** A row of groups names some columns only, or several alike. */
const hasGaps = ({ cells }: Row): boolean =>
  cells.some((cell) => cell.trim() === '') || new Set(cells).size < cells.length

function askForRow(row: Row, count: number, isUnits: boolean, found: Findings): void {
  const what = isUnits ? 'units' : 'names'
  found.ask(
    `this line looks like a row of ${what} below the header, such as ${shown(row.cells.find((cell) => cell.trim() !== '') ?? '')}`,
    row.line,
    [
      { option: `--header-rows ${count + 1}`, meaning: `its ${what} are joined to the names above` },
      ...(isUnits ? [] : [{ option: `--skip-lines ${row.line - 1}`, meaning: 'it is the header' }]),
      { option: '--types text', meaning: 'it is a record' },
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
