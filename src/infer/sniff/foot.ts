/** Lines that are no records below the header: comments between records, totals and notes at the end. */
import type { StatedDialect } from '../../format/registry.ts'
import { isRemark } from './widths.ts'
import { counted } from '../../core/counted.ts'
import type { Findings } from './findings.ts'
import { kindsOf, votesOf } from './header.ts'
import { isValue } from './kinds.ts'
import type { Row } from './rows.ts'
import { isHollow } from './start.ts'
import type { Table } from './table.ts'

/** The most rows of a footer, its empty lines not counted. */
const mostRows = 12
/** Alone in the first cell. */
const total = /^\s*((grand |sub)?total|sum|(gesamt)?summe|gesamt|insgesamt|somme|totale|suma)\s*(:\s*)?$/i
/** At its beginning. */
const closing =
  /^\W*((grand |sub)?totals?|sums?|(gesamt|end|zwischen)?summe|gesamt|insgesamt|saldo|somme|totale|suma|end of|source|quelle|notes?|hinweis|footnote|legend|stand|generated|erstellt)\b/i

/** Comments that look like records would be taken for such. `rows` are those of the whole head. */
export function askForComments(
  rows: readonly Row[],
  table: Table,
  stated: StatedDialect,
  found: Findings,
): void {
  if (stated.comment !== undefined) return
  const marked = table.body.filter(isRemark)
  const [first] = marked
  if (first === undefined || marked.length * 2 > table.body.length) return
  const width = table.names.length
  const isRecord = ({ cells }: Row) => cells.length === width
  const misfit = marked.find(
    (row) =>
      isRecord(row) && (votesOf(row, table.kinds).names.length > 0 || isValue(table.kinds[0] ?? 'text')),
  )
  const lines = counted(rows.filter(isRemark).length, 'line')
  const leftOut = { option: "--comment '#'", meaning: `${lines} left out` }
  if (misfit !== undefined)
    found.ask('this line begins with #, like a comment, but has as many cells as a record', misfit.line, [
      leftOut,
      { option: '--types text', meaning: 'it is a record' },
    ])
  else if (!marked.every(isRecord))
    found.ask('this line begins with #, like a comment', first.line, [leftOut], 'it is rejected')
}

/** `rows` are the last of the file; those above the header are not among them. */
export function askForFooter(rows: readonly Row[], table: Table, found: Findings): void {
  const width = table.names.length
  if (width < 2) return
  let start = rows.length
  let isBetween = false
  for (let at = rows.length - 1, seen = 0; at >= 0 && seen < mostRows; at--) {
    const row = rows[at] as Row
    if (isHollow(row)) continue
    seen++
    const closes = isClosing(row, table, rows)
    // A short row between two that close the table is of the footer, too.
    if (!closes && (isBetween || start === rows.length || row.cells.length >= width)) break
    isBetween = !closes
    if (closes) start = at
  }
  const footer = rows.slice(start).filter((row) => !isHollow(row))
  const [first] = footer
  if (first === undefined || table.body.filter((row) => !isHollow(row)).length < footer.length + 2) return
  while (start > 0 && isHollow(rows[start - 1] as Row)) start--
  const lines = rows.slice(start).reduce((sum, row) => sum + row.lines, 0)
  const leftOut = { option: `--footer-lines ${lines}`, meaning: 'it is left out' }
  const isRecord = ({ cells }: Row) => cells.length === width
  const kinds = kindsOf(
    table.body.filter((row) => !footer.includes(row)),
    width,
  )
  const misfit = footer.find((row) => isRecord(row) && votesOf(row, kinds).names.length > 0)
  if (misfit !== undefined) {
    const asText = { option: '--types text', meaning: 'it is a record' }
    const about = 'the file ends with what looks like a total or a note, and it has text in columns of values'
    return found.ask(about, misfit.line, [leftOut, asText])
  }
  const otherwise = footer.some(isRecord) ? 'it is a record' : 'it is rejected'
  found.ask('the file ends with what looks like a total or a note', first.line, [leftOut], otherwise)
}

function isClosing(row: Row, { names, kinds }: Table, rows: readonly Row[]): boolean {
  const width = names.length
  const filled = row.cells.filter((cell) => cell.trim() !== '')
  if (row.isFlawed || filled.length === 0) return filled.length === 0
  const isNamed = closing.test(filled[0] ?? '')
  if (row.cells.length > width) return false
  if (row.cells.length < width) return row.cells.length === 1 || filled.length === 1 || isNamed
  const { names: texts, values } = votesOf(row, kinds)
  const isNote = width > 2 && texts.length > 0 && values.length === 0 && filled.length * 2 <= width
  const isAlone = width > 2 && filled.length === 1 && isOnlyThere(row, rows)
  const isAll = total.test(row.cells[0] ?? '')
  return isNote || isAlone || isAll || (isNamed && (texts.length > 0 || hasNewGap(row, rows)))
}

/** Whether it lacks a value that every other row has. */
function hasNewGap(row: Row, rows: readonly Row[]): boolean {
  const others = rows.filter(
    (each) => each !== row && each.cells.length === row.cells.length && !isHollow(each),
  )
  return row.cells.some((cell, column) => cell === '' && others.every(({ cells }) => cells[column] !== ''))
}

/** Whether it has values in no column in which another row has one. */
const isOnlyThere = (row: Row, rows: readonly Row[]): boolean =>
  row.cells.every(
    (cell, column) =>
      cell.trim() === '' || rows.every((each) => each === row || (each.cells[column] ?? '').trim() === ''),
  )
