/** Where a table begins: what stands above its header is left out. */
import { namesAll } from './block.ts'
import { isBlank, isLabel, isRemark, withoutRemarks } from './widths.ts'
import { isHeader, kindsOf, votesOf } from './header.ts'
import { isValue, type Kind, kindOf } from './kinds.ts'
import type { Row } from './rows.ts'

/** Rows among which a table begins. */
const mostAbove = 60

/** Index of the row that holds the names, or the first record; `rows` are those of the whole head. */
export function findStart(rows: readonly Row[], width: number): number {
  const isOwn = (row: Row) => !isBlank(row) && !isRemark(row)
  const top = firstOf(rows, isOwn)
  if (width === 1) return top
  const wide = firstOf(
    rows,
    (row) => row.cells.length === width && !isHollow(row) && !isAside(row, rows, width),
  )
  if (top < wide && namesAll(rows.slice(top).filter(isOwn))) return top
  const start = belowTitles(rows, wide, width)
  const narrow = start === wide ? raggedHeader(rows, start, width) : undefined
  return narrow ?? belowGap(rows, start, width)
}

const firstOf = (rows: readonly Row[], is: (row: Row) => boolean): number => Math.max(0, rows.findIndex(is))

/** Whether all cells are empty. */
export const isHollow = ({ cells }: Row): boolean => cells.every((cell) => cell.trim() === '')

/** A line that begins with `#`, unless it is the header: what follows it is none, and it reads like names. */
function isAside(row: Row, rows: readonly Row[], width: number): boolean {
  if (!isRemark(row)) return false
  const below = rows.slice(rows.indexOf(row) + 1)
  // Where blanks stand between cells, a text has as many as a record by chance.
  if (/^#+$/.test(row.cells[0] as string) && below[0] !== undefined && isRemark(below[0])) return true
  const next = below.find(({ cells }) => cells.length === width)
  if (next === undefined || isRemark(next)) return true
  const { names, values } = votesOf(next, bodyKinds(below, width))
  return values.length === 0 && (names.length > 0 || /^#+ /.test(row.cells[0] as string))
}

/** Kinds of the columns of a table of which the first rows may be a part of the header. */
export function bodyKinds(rows: readonly Row[], width: number): Kind[] {
  const body = withoutRemarks(rows.filter((row) => row.cells.length === width && !row.isFlawed))
  return kindsOf(body.slice(Math.max(0, Math.min(2, body.length - 2))), width)
}

/** Filled from the left, and hardly; or a label with a value, such as `Made by:,Ann,,`. */
function isTitle(row: Row, width: number): boolean {
  const filled = row.cells.findLastIndex((cell) => cell.trim() !== '') + 1
  const isHardly = filled <= Math.max(1, Math.floor(width / 3)) && row.cells[0]?.trim() !== ''
  return isHardly || (filled < width && isLabel(row))
}

/** Titles may have the delimiters of a whole row, as spreadsheets write them. */
function belowTitles(rows: readonly Row[], wide: number, width: number): number {
  let start = wide
  while (start < wide + mostAbove) {
    const row = rows[start]
    if (row === undefined || !(isHollow(row) || row.cells.length !== width || isTitle(row, width))) break
    start++
  }
  const header = rows[start]
  if (start === wide || header === undefined || start === wide + mostAbove) return wide
  const below = rows.slice(start + 1).filter((row) => row.cells.length === width && !isHollow(row))
  const { answer, isTold } = isHeader(header, below, bodyKinds(below, width))
  const isFull = header.cells.every((cell) => cell.trim() !== '')
  const isSure = isTold || (width > 2 && isFull && !header.cells.some((cell) => isValue(kindOf(cell))))
  return answer && isSure ? start : wide
}

/**
 * A header with another number of cells than most records; some right below it may have a third one. Where empty lines
 * stand between, it differs by one, and is full.
 */
function raggedHeader(rows: readonly Row[], start: number, width: number): number | undefined {
  if (start === 0) return undefined
  const kinds = bodyKinds(rows.slice(start + 1), width)
  let below = start
  let at = filledAbove(rows, start)
  for (; isLikeBody(rows[at], kinds); at = filledAbove(rows, at)) below = at
  const above = rows[at]
  if (above === undefined || isHollow(above)) return undefined
  const isApart = above.line + above.lines !== rows[below]?.line
  const { cells } = above
  const isFull = cells.every((cell) => cell.trim() !== '') && Math.abs(cells.length - width) <= 1
  if (isApart && !isFull) return undefined
  if (namesByOther(above, width) !== undefined) return at
  const isNear = cells.length >= Math.max(2, width / 2) && cells.length <= width * 2
  if (!isNear || cells.some((cell) => isValue(kindOf(cell)))) return undefined
  const { names, values } = votesOf(rows[start] as Row, kinds)
  return values.length > 0 || (names.length === 0 && Math.abs(cells.length - width) === 1) ? at : undefined
}

function filledAbove(rows: readonly Row[], from: number): number {
  let at = from - 1
  while (at >= 0 && isBlank(rows[at] as Row)) at--
  return at
}

/** Whether a row has values where the columns do, and no texts. */
function isLikeBody(row: Row | undefined, kinds: readonly Kind[]): boolean {
  if (row === undefined) return false
  const { names, values } = votesOf(row, kinds)
  return values.length > 0 && names.length === 0
}

/** The names of a header that is written with another delimiter than the records. */
export function namesByOther({ cells }: Row, width: number): readonly string[] | undefined {
  const [line = '', ...more] = cells
  if (more.length > 0) return undefined
  // CloudFront writes its names with blanks and its records with tabs.
  const marked = /^#\s*fields:\s*(\S.*)$/i.exec(line)?.[1]?.trim().split(/\s+/)
  if (marked?.length === width) return marked
  if (width < 3) return undefined
  return [',', ';', '\t', '|']
    .map((delimiter) => line.split(delimiter))
    .find((names) => names.length === width)
}

/**
 * Above an empty line may stand something of another kind that has as many cells. A row of empty cells may be a record: it
 * separates only where what stands above it does not begin with names.
 */
function belowGap(rows: readonly Row[], start: number, width: number): number {
  const last = Math.min(rows.length - 1, start + mostAbove)
  const isGap = rows[start]?.cells.some((cell) => isValue(kindOf(cell))) ? isHollow : isBlank
  for (let at = start + 1; at < last; at++) {
    const row = rows[at + 1] as Row
    if (!isGap(rows[at] as Row) || row.cells.length !== width || isHollow(row)) continue
    const kinds = bodyKinds(rows.slice(at + 2), width)
    const { names, values } = votesOf(row, kinds)
    if (names.length === 0 || values.length > 0) continue
    const block = rows.slice(start + 1, at).filter(({ cells }) => cells.length === width)
    if (!block.some((each) => fits(each, kinds))) return at + 1
  }
  return start
}

/** Whether it may be a record of a table with such columns: it has a value where there are some, and no text there. */
function fits(row: Row, kinds: readonly Kind[]): boolean {
  const { names, values } = votesOf(row, kinds)
  return names.length === 0 && (values.length > 0 || !kinds.some(isValue))
}
