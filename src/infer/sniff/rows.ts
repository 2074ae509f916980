/**
 * Reads the rows of a text in one dialect, for looking at them: by the rules of `RecordScanner` and `CsvReader`,
 * except that a quote that is never closed costs its own line and not the rest of the text.
 */

import { cr, lf } from '../../core/bytes.ts'
import { withoutBlanks } from '../../core/text.ts'

/** How rows are read; the keys are those of `Dialect`. */
export interface Marks {
  readonly delimiter: string
  /** Empty for none. */
  readonly quote: string
  readonly escape?: '\\'
  readonly trim?: true
}

export interface Row {
  /** 1-based. */
  readonly line: number
  readonly lines: number
  readonly cells: readonly string[]
  /** Cells that stood in quotes. */
  readonly quoted: ReadonlySet<number>
  /** A quote stands where none may, or is never closed. */
  readonly isFlawed: boolean
  /** Whether the flaw is a quote that its line does not close. */
  readonly isOpen: boolean
}

interface Cell {
  readonly text: string
  /** Index of what ends it. */
  readonly end: number
  readonly isQuoted: boolean
  readonly flaw?: 'stray' | 'open'
}

const backslash = 0x5c
/** Where a backslash escapes, a cell without a value. */
const noValue = String.raw`\N`
const none: ReadonlySet<number> = new Set()

/** `text` has LF or CR LF as line ends. */
export function readRows(text: string, marks: Marks, most = Number.POSITIVE_INFINITY): Row[] {
  const rows: Row[] = []
  let line = 1
  let quoteAt = -1
  for (let at = 0; at < text.length && rows.length < most;) {
    if (quoteAt < at) quoteAt = quoteFrom(text, at, marks.quote)
    const end = lineEnd(text, at)
    const isBare = quoteAt >= end && marks.escape === undefined
    const { row, next } = isBare ? bareRow(text, at, end, marks, line) : readRow(text, at, marks, line)
    rows.push(row)
    line += row.lines
    at = next
  }
  return rows
}

function quoteFrom(text: string, at: number, quote: string): number {
  const found = quote === '' ? -1 : text.indexOf(quote, at)
  return found === -1 ? Number.POSITIVE_INFINITY : found
}

/** Most lines have no quote. */
function bareRow(
  text: string,
  start: number,
  end: number,
  marks: Marks,
  line: number,
): { row: Row; next: number } {
  const until = end > start && text.charCodeAt(end - 1) === cr ? end - 1 : end
  const parts = text.slice(start, until).split(marks.delimiter)
  const cells = marks.trim ? parts.map(withoutBlanks) : parts
  return { row: { line, lines: 1, cells, quoted: none, isFlawed: false, isOpen: false }, next: end + 1 }
}

function readRow(text: string, start: number, marks: Marks, line: number): { row: Row; next: number } {
  const cells: string[] = []
  let quoted: Set<number> | undefined
  let isFlawed = false
  let at = start
  for (;;) {
    const cell = readCell(text, at, marks)
    // Read again by itself: what follows its line has its own quotes.
    if (cell.flaw === 'open' || (cell.flaw === 'stray' && text.slice(at, cell.end).includes('\n')))
      return openRow(text, start, marks, line)
    if (cell.isQuoted) (quoted ??= new Set()).add(cells.length)
    isFlawed ||= cell.flaw !== undefined
    cells.push(cell.text)
    at = cell.end
    if (at >= text.length || text[at] === '\n') break
    at++
  }
  const isOneLine = quoted === undefined && marks.escape === undefined
  const lines = isOneLine ? 1 : text.slice(start, at).split('\n').length
  const last = cells.length - 1
  if (!quoted?.has(last) && cells[last]?.endsWith('\r')) cells[last] = cells[last].slice(0, -1)
  return { row: { line, lines, cells, quoted: quoted ?? none, isFlawed, isOpen: false }, next: at + 1 }
}

/** The line as a row of its own, its quotes taken as they stand. */
function openRow(text: string, start: number, marks: Marks, line: number): { row: Row; next: number } {
  const end = lineEnd(text, start)
  const { row } = readRow(text.slice(start, end), 0, { delimiter: marks.delimiter, quote: '' }, line)
  return { row: { ...row, isFlawed: true, isOpen: true }, next: end + 1 }
}

export function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

function readCell(text: string, start: number, marks: Marks): Cell {
  const { delimiter, quote, escape, trim } = marks
  let open = start
  if (trim) while (isBlank(text[open]) && text[open] !== delimiter) open++
  if (quote !== '' && text[open] === quote) return quotedCell(text, start, open, marks)
  const end = cellEnd(text, start, marks)
  const raw = text.slice(start, end)
  const cell = escape === undefined || raw === noValue ? raw : unescaped(raw, '', escape)
  const isStray =
    quote !== '' &&
    !isExcelText(raw, quote) &&
    (escape === undefined ? raw : raw.replaceAll(/\\./gs, '')).includes(quote)
  return {
    text: trim ? withoutBlanks(cell) : cell,
    end,
    isQuoted: false,
    ...(isStray && { flaw: 'stray' as const }),
  }
}

/** `="007"`, which Excel does not quote. */
const isExcelText = (raw: string, quote: string): boolean => {
  const cell = raw.endsWith('\r') ? raw.slice(0, -1) : raw
  return cell.startsWith(`=${quote}`) && cell.indexOf(quote, 2) === cell.length - 1 && cell.length > 2
}

function quotedCell(text: string, start: number, open: number, marks: Marks): Cell {
  const { delimiter, quote, escape, trim } = marks
  let at = open + 1
  for (; at < text.length; at++) {
    if (escape !== undefined && text[at] === escape) at++
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) break
      at++
    }
  }
  if (at >= text.length) return { text: text.slice(start), end: text.length, isQuoted: false, flaw: 'open' }
  let after = at + 1
  if (trim) while (isBlank(text[after]) && text[after] !== delimiter) after++
  if (text[after] === '\r' && (text[after + 1] === '\n' || after + 1 === text.length)) after++
  if (after >= text.length || text[after] === '\n' || text[after] === delimiter) {
    const inner = text.slice(open + 1, at)
    return { text: unescaped(inner, quote, escape), end: after, isQuoted: true }
  }
  const end = cellEnd(text, after, marks)
  return { text: text.slice(start, end), end, isQuoted: false, flaw: 'stray' }
}

const letters = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** Without a quote, a doubled one is none. */
function unescaped(inner: string, quote: string, escape: string | undefined): string {
  if (escape === undefined) return inner.includes(quote) ? inner.replaceAll(quote + quote, quote) : inner
  let text = ''
  for (let at = 0; at < inner.length; at++) {
    const next = inner[at + 1]
    if (inner[at] === escape && next !== undefined) text += letters.get(inner[++at] ?? '') ?? next
    else {
      text += inner[at] ?? ''
      if (inner[at] === quote && next === quote) at++
    }
  }
  return text
}

function cellEnd(text: string, from: number, { delimiter, escape }: Marks): number {
  const mark = delimiter.charCodeAt(0)
  let at = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === mark || code === lf) break
    if (escape !== undefined && code === backslash) at++
  }
  return Math.min(at, text.length)
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t'
