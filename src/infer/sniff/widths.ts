/** What rows say of the number of cells that a record has, and which rows say nothing of it. */
import type { StatedDialect } from '../../format/registry.ts'
import { counted } from '../../core/counted.ts'
import { largestBlock } from './block.ts'
import type { Findings } from './findings.ts'
import { isValue, kindOf } from './kinds.ts'
import type { Row } from './rows.ts'

export const isBlank = ({ cells, quoted }: Row): boolean =>
  cells.length === 1 && cells[0] === '' && quoted.size === 0

export const isComment = ({ cells, quoted }: Row, comment: string | undefined): boolean =>
  comment !== undefined && !quoted.has(0) && cells[0]?.startsWith(comment) === true

/** A line that begins with `#`. */
export const isRemark = (row: Row): boolean => isComment(row, '#')

/** Lines that begin with `#` say nothing of the others, unless most do below the first other one, and have cells. */
export function withoutRemarks(rows: readonly Row[]): readonly Row[] {
  const others = rows.filter((row) => !isRemark(row))
  if (others.length === 0 || others.length === rows.length) return rows
  const remarks = rows.slice(rows.indexOf(others[0] as Row)).filter(isRemark)
  const wide = remarks.filter(({ cells }) => cells.length > 1)
  return remarks.length <= others.length || wide.length * 2 < remarks.length ? others : rows
}

/** A label with a value, as they stand above the table of a bank: `Account:;123;`. */
export const isLabel = ({ cells }: Row): boolean =>
  cells.length > 1 && cells[0]?.trimEnd().endsWith(':') === true

/** The number of cells of a record; `all` are the rows that say something of it. */
export function widthOf(
  read: readonly Row[],
  all: readonly Row[],
  { delimiter }: Pick<StatedDialect, 'delimiter'>,
): number {
  const width = commonWidth(all)
  if (delimiter === undefined) return width
  // Who states the delimiter sees a table, however many other lines there are.
  const block = largestBlock(read)
  if (block?.isApart !== true || block.width <= width) return width
  const agreeing = all.filter(({ cells }) => cells.length === width)
  return block.rows.length * block.width > agreeing.length * width ? block.width : width
}

/** The number of cells of most rows. Labels say nothing of wider rows below them, of which two agree. */
function commonWidth(rows: readonly Row[]): number {
  const all = mostOf(rows)
  const labels = rows.findIndex((row) => !isLabel(row))
  if (labels < 1) return all.width
  const below = mostOf(rows.slice(labels))
  return below.most > 1 && below.width > all.width ? below.width : all.width
}

/** Of two, the width that comes first and is not 1. */
function mostOf(rows: readonly Row[]): { readonly width: number; readonly most: number } {
  const counts = new Map<number, number>()
  for (const { cells } of rows) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1)
  let [width, most] = [1, 0]
  for (const [each, count] of counts)
    if (count > most || (count === most && width === 1)) [width, most] = [each, count]
  return { width, most }
}

/**
 * Commas in texts without quotes make most records longer than the header: those that fit it show how many columns there
 * are. `most` is the number of cells of most records.
 */
export function widthBelow(header: Row, below: readonly Row[], most: number, found: Findings): number {
  const { cells, isFlawed, line } = header
  const { length } = cells
  const areNames = cells.every((cell) => kindOf(cell) !== 'empty' && !isValue(kindOf(cell)))
  if (length < 2 || length >= most || isFlawed || !areNames) return most
  const records = below.filter((row) => !isBlank(row) && !isRemark(row))
  const fitting = records.filter((row) => row.cells.length === length)
  if (fitting.length * 4 < records.length) return most
  const share = `${fitting.length} of ${counted(records.length, 'record')}`
  found.decide('columns', String(length), `the header has as many names, and ${share} as many cells`, line)
  return length
}
