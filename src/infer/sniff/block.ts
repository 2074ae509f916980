/** A table among lines of another kind, of which there may be more than it has. */
import { counted } from '../../core/counted.ts'
import { quoted } from '../../core/shell.ts'
import type { Findings } from './findings.ts'
import { kindsOf } from './header.ts'
import { isValue, type Kind, kindOf, kindOfColumn, mostBody } from './kinds.ts'
import type { Marks, Row } from './rows.ts'

/** Rows one below the other with the same number of cells, at least two. */
export interface Block {
  readonly rows: readonly Row[]
  readonly width: number
  /** Whether it begins the text, stands below an empty line or one that begins with `#`, below nothing but lines of one cell, to the end, or right below a longer first row. */
  readonly isApart: boolean
}

/** Such a table, and what splits it. */
export interface Within {
  readonly block: Block
  readonly delimiter: string
}

/** The one with the most cells; empty rows are among `rows`. */
export function largestBlock(rows: readonly Row[]): Block | undefined {
  let best: Block | undefined
  for (let start = 0; start < rows.length;) {
    const width = (rows[start] as Row).cells.length
    let end = start + 1
    while (end < rows.length && rows[end]?.cells.length === width) end++
    const isLarger = (end - start) * width > (best === undefined ? 0 : best.rows.length * best.width)
    if (width > 1 && end - start > 1 && isLarger)
      best = {
        rows: rows.slice(start, end),
        width,
        isApart:
          isEdge(rows[start - 1]) ||
          (start === 1 && (rows[0] as Row).cells.length > width) ||
          (end === rows.length && areLines(rows.slice(0, start))),
      }
    start = end
  }
  return best
}

/** Whether its first row has a text above each column, and one of them holds values: no list of texts looks so. */
export function namesValues([first, ...rest]: readonly Row[]): boolean {
  if (first === undefined || first.cells.some((cell) => kindOf(cell) !== 'text')) return false
  return kindsOf(rest, first.cells.length).some(isTelling)
}

const isTelling = (kind: Kind): boolean => isValue(kind) && kind !== 'boolean'

/** Whether the first row has a plain name for each cell of all others, which are shorter in part. */
export function namesAll([first, ...rest]: readonly Row[]): boolean {
  const names = first?.cells ?? []
  const isName = (cell: string) => ['text', 'code'].includes(kindOf(cell)) && cell === cell.trim()
  const fits = ({ cells }: Row) => cells.length > 1 && cells.length <= names.length
  return names.length > 2 && new Set(names).size === names.length && names.every(isName) && rest.every(fits)
}

/** Whether a column below such a row holds values, as the first rows show. */
export function holdsValues([first, ...rest]: readonly Row[]): boolean {
  const seen = rest.slice(0, mostBody)
  const kindAt = (column: number) => kindOfColumn(seen.map(({ cells }) => cells[column] ?? ''))
  return first?.cells.some((_, column) => isTelling(kindAt(column))) === true
}

const areLines = (rows: readonly Row[]): boolean => rows.every(({ cells }) => cells.length === 1)

const isEdge = (row: Row | undefined): boolean =>
  row === undefined || (row.cells.length === 1 && /^(#.*|\s*)$/.test(row.cells[0] as string))

/** Texts have commas as well, mostly with blanks behind them. `lines` are those that are not empty. */
export function isTable({ rows, width, isApart }: Block, lines: number, { trim }: Marks): boolean {
  if (!isApart || rows.length * 4 < lines) return false
  if (kindsOf(rows.slice(1), width).some(isTelling)) return true
  const isBare = ({ cells }: Row) => cells.every((cell) => !/^\s|\s$/.test(cell))
  return rows.length > 2 && trim !== true && rows.every(isBare)
}

/** Delimiters that a person can type, for a text of one column. */
const others = [
  ['\t', String.raw`\t`],
  ['|', '|'],
  ['~', '~'],
  ['^', '^'],
] as const

/** Where no delimiter splits most lines, and one splits some of them into a table. `above` are lines that are not looked at. */
export function askForBlock(
  { block, delimiter }: Within,
  above: number,
  text: string,
  found: Findings,
): void {
  const { rows, width } = block
  const [first, last] = [rows[0] as Row, rows.at(-1) as Row]
  const unused = others.find(([mark]) => !text.includes(mark))
  const name = others.find(([mark]) => mark === delimiter)?.[1] ?? delimiter
  found.ask(
    `lines ${first.line + above} to ${last.line + last.lines - 1 + above} have ${counted(width, 'cell')} each, and other lines have not`,
    first.line + above,
    [
      { option: `--delimiter ${quoted(name)}`, meaning: 'they are a table' },
      ...(unused === undefined
        ? []
        : [{ option: `--delimiter ${quoted(unused[1])}`, meaning: 'each line is a text' }]),
    ],
  )
}
