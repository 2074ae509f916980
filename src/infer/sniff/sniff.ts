/**
 * How a file is written, found by looking at its head and tail. What is stated is taken as it is, and helps to decide the rest.
 * docs/inference.md says what is found and how.
 */
import { splitterFor, type StatedDialect } from '../../format/registry.ts'
import { uniqueNames } from '../../format/names.ts'
import type { Reading } from '../../format/reading.ts'
import type { Decision, Question } from '../decision.ts'
import { askForBlock } from './block.ts'
import { quoted } from '../../core/shell.ts'
import { type Candidate, chooseMarks, strong } from './dialects.ts'
import { askForEscape } from './escape.ts'
import { isBlank, isComment, widthOf, withoutRemarks } from './widths.ts'
import { textsOf } from './encoding.ts'
import { counted } from '../../core/counted.ts'
import { Findings } from './findings.ts'
import { askForComments, askForFooter } from './foot.ts'
import { askForNullTexts, withNulls } from './nulls.ts'
import { lineEnd, readRows, type Row } from './rows.ts'
import { findTable, type HeaderTable, isNamedBy, type Table } from './table.ts'

export type { HeaderTable } from './table.ts'

/** Bytes of a file's beginning and end that are looked at; a shorter file is seen as a whole. */
export const headBytes = 1024 * 1024
export const tailBytes = 64 * 1024

export interface Sniffed extends Reading {
  /** Names of the columns; empty where each record names its own. */
  readonly fields: readonly string[]
  readonly decisions: readonly Decision[]
  /** What the file alone does not tell. The reading is then one of several. */
  readonly questions: readonly Question[]
}

/** What is known beside the bytes: the table that they go to, and the format that the suffix of the file names. */
export interface Around {
  readonly goal?: HeaderTable | undefined
  readonly suffix?: string
}

/** `tail` is undefined where `head` is the whole file. */
export function sniff(head: Buffer, tail: Buffer | undefined, stated: Reading, around: Around = {}): Sniffed {
  const found = new Findings()
  const { texts, written } = textsOf(head, tail, stated, found)
  const own = { ...stated, ...written }
  const format = stated.format ?? formatOf(texts.head, stated, found)
  if (format !== 'csv' && format !== 'tsv') return { ...own, format, fields: [], ...found }
  const dialect = format === 'tsv' ? { delimiter: '\t', ...stated.dialect } : { ...stated.dialect }
  const table = tableOf(texts.head, texts.tail, { ...own, dialect }, found, around)
  const fields = fieldsOf(texts.head, table.dialect, uniqueNames(table.names).fields)
  const { notation } = table
  return { ...own, format: 'csv', dialect: table.dialect, ...(notation && { notation }), fields, ...found }
}

/** JSON begins with a bracket, and what follows it is no name of a column. */
function formatOf(text: string, { dialect = {} }: Reading, found: Findings): string {
  if (Object.values(dialect).some((value) => value !== undefined)) return 'csv'
  const [first = '', second] = text.split('\n', 1000).filter((line) => line.trim() !== '')
  const isObject = /^\s*\{\s*("([^"\\]|\\.)*"\s*:|\}|$)/.test(first)
  if (isObject && second !== undefined && /^\s*\{/.test(second) && /\}\s*$/.test(first)) {
    found.decide('format', 'ndjson', 'its lines are objects', 1)
    return 'ndjson'
  }
  if (isObject || /^\s*\[\s*(\{\s*("|\}|$)|["[]|\]\s*$|$)/.test(first)) {
    found.decide('format', 'json', `it begins with ${isObject ? 'an object' : 'an array'}`, 1)
    return 'json'
  }
  return 'csv'
}

/** Characters of a larger file whose rows are looked at. */
export const mostSeen = 256 * 1024

/** What is stated to be no part of the table says nothing of its marks. */
function withoutLines(text: string, lines: number): string {
  let start = 0
  for (let line = 0; line < lines && start < text.length; line++)
    start = text.indexOf('\n', start) + 1 || text.length
  return start === text.length ? text : text.slice(start)
}

const lineFeedsIn = (text: string): number => text.split('\n').length - 1

const withDelimiter = (given: StatedDialect, delimiter: string | undefined): StatedDialect =>
  delimiter === undefined ? given : { ...given, delimiter }

interface Written extends Table {
  readonly dialect: StatedDialect
  readonly notation?: Reading['notation']
}

function tableOf(
  head: string,
  tail: string | undefined,
  stated: Reading,
  found: Findings,
  { goal, suffix }: Around,
): Written {
  const given = { ...stated.dialect }
  if (/^[ \t\r\n]*$/.test(head)) return nothingIn(head, given)
  const separator = /^"?sep=([^\r\n])"?\r?(\n|$)/i.exec(head)?.[1]
  const own = given.delimiter ?? separator
  const text = separator === undefined ? head : head.slice(head.indexOf('\n') + 1)
  const isTabbed = own === undefined && stated.format === undefined && suffix === 'tsv'
  const usual = isTabbed ? '\t' : own
  const { skipLines = 0 } = given
  const looked = withoutLines(text, skipLines - (separator === undefined ? 0 : 1))
  const above = lineFeedsIn(head.slice(0, head.length - looked.length))
  const free = chooseMarks(looked, withDelimiter(given, usual))
  // The table that it goes to says that the lines are no texts.
  const isSure = free.within !== undefined && isNamedBy(goal, free.within.block.rows[0]?.cells ?? [])
  const marks = withDelimiter(given, isSure ? free.within.delimiter : usual)
  const chosen = isSure ? chooseMarks(looked, marks) : free
  if (isTabbed && chosen.width === 1) askForTabs(chooseMarks(looked, given), above, found)
  const seen = tail === undefined ? head : head.slice(0, head.lastIndexOf('\n', mostSeen) + 1 || head.length)
  const read = seen === chosen.sample ? chosen.read : readRows(seen, chosen.marks)
  const rows = read.slice(separator === undefined ? 0 : 1)
  const records = rows.filter((row) => !isComment(row, given.comment))
  const sound = records.filter(({ isFlawed, line }) => !isFlawed && line > skipLines)
  const width = widthOf(sound, withoutRemarks(sound.filter((row) => !isBlank(row))), marks)
  sayMarks(chosen, width, separator, given, found)
  askForEscape(text, rows, chosen.marks, stated, found)
  if (chosen.within !== undefined) askForBlock(chosen.within, above, text, found)
  const table = findTable(records, width, given, found, goal)
  askForComments(records, table, given, found)
  const last = tail === undefined ? undefined : readRows(tail, chosen.marks)
  if (stated.footerLines === undefined) askForFooter(last ?? table.body, table, found)
  const { frame } = table
  const names = frame.names === undefined ? {} : { names: uniqueNames(frame.names).fields }
  const lines = given.multiline === undefined ? oneLine(records, width, tail === undefined, found) : {}
  const blanks = blankLinesIn(table, last, given, found)
  const dialect: StatedDialect = { ...given, ...chosen.marks, ...frame, ...names, ...lines, ...blanks }
  const notation = withNulls(rows, last ?? [], chosen.marks, stated, found)
  // The values of a table that does not exist are looked at.
  if (goal !== undefined) askForNullTexts(text, rows, stated, found)
  return { ...table, dialect, notation }
}

/** Empty lines that a reader would not pass over hold no record of several cells. */
function blankLinesIn(
  { names, body }: Table,
  tail: readonly Row[] | undefined,
  { blankLines, comment }: StatedDialect,
  found: Findings,
): Pick<StatedDialect, 'blankLines'> {
  if (blankLines !== undefined || comment !== undefined || names.length < 2) return {}
  const blank = body.find(isBlank)
  // The first row of the tail may be the end of one, and its lines are not counted from the beginning.
  if (blank === undefined && tail?.slice(1).some(isBlank) !== true) return {}
  const which = blank === undefined ? 'a line near the end' : `line ${blank.line}`
  const because = `${which} is empty, and a record has ${names.length} cells`
  found.decide('blank lines', 'skipped', because, blank?.line)
  return { blankLines: 'skip' }
}

/** The suffix says that tabs stand between cells, and there are none. */
function askForTabs({ marks: { delimiter }, width, rows }: Candidate, above: number, found: Findings): void {
  if (width === 1 || !strong.includes(delimiter)) return
  found.ask('the suffix says tsv, and no tab splits the lines', (rows[0]?.line ?? 1) + above, [
    { option: '--format tsv', meaning: 'each line is a text' },
    { option: `--delimiter ${quoted(delimiter)}`, meaning: `${counted(width, 'cell')} in a line` },
  ])
}

/** Lines without anything are no records, and no header. */
const nothingIn = (text: string, given: StatedDialect): Written => {
  const skipLines = given.skipLines ?? text.split('\n').length - 1
  const frame = { header: given.header ?? true, ...(skipLines > 0 && { skipLines }) }
  const dialect = { delimiter: ',', quote: '"', ...given, ...frame }
  return { frame, names: given.names ?? [], body: [], kinds: [], dialect }
}

/**
 * Whether quotes end with their line: some must, and no cell goes on in the next line. Of a file that is not seen as a
 * whole, a cell further down may.
 */
function oneLine(
  rows: readonly Row[],
  width: number,
  isWhole: boolean,
  found: Findings,
): { readonly multiline?: false } {
  const isCut = ({ cells, lines, quoted: { size } }: Row) => size > 0 && lines > 1 && cells.length !== width
  const open = rows.find((row) => row.isOpen || isCut(row))
  const goesOn = rows.some((row) => row.lines > 1 && !row.isFlawed && row.cells.length === width)
  if (open === undefined || goesOn) return {}
  if (isWhole) {
    const because = `line ${open.line} opens a quote that it does not close, and no cell has two lines`
    found.decide('quote', 'ends with its line', because, open.line)
    return { multiline: false }
  }
  // Its cell may end behind the rows that are seen, unless another quote comes before.
  const isAmiss = rows.some(
    ({ line, quoted: { size }, isFlawed }) => line > open.line && (size > 0 || isFlawed),
  )
  if (isAmiss)
    found.ask('this line opens a quote that it does not close', open.line, [
      { option: '--no-multiline', meaning: 'no cell goes on in the next line, and it is rejected alone' },
      { option: '--multiline', meaning: 'it is rejected with the lines down to the next quote' },
    ])
  return {}
}

function sayMarks(
  { marks, rows, width, quotedCells }: Candidate,
  all: number,
  separator: string | undefined,
  stated: StatedDialect,
  found: Findings,
): void {
  const agreeing = rows.filter(({ cells }) => cells.length === width).length
  const lines =
    agreeing === rows.length
      ? `each of ${counted(rows.length, 'line')}`
      : `${agreeing} of ${counted(rows.length, 'line')}`
  if (stated.delimiter === undefined && all === 1)
    found.decide('delimiter', 'none', 'no delimiter splits the lines into the same number of cells')
  else if (stated.delimiter === undefined && separator !== undefined)
    found.decide('delimiter', written(separator), 'the line sep= says so', 1)
  else if (stated.delimiter === undefined)
    found.decide('delimiter', written(marks.delimiter), `it gives ${lines} ${counted(width, 'cell')}`)
  const first = quotedCells === 0 ? undefined : rows.find((row) => row.quoted.size > 0)
  if (stated.quote === undefined && marks.quote === '')
    found.decide('quote', 'none', 'no cell is quoted, and some contain a quote')
  else if (stated.quote === undefined && first !== undefined)
    found.decide('quote', marks.quote, 'cells are enclosed in it', first.line)
  if (stated.escape === undefined && marks.escape !== undefined)
    found.decide('escape', marks.escape, 'a backslash precedes the marks inside cells')
  if (stated.trim === undefined && marks.trim !== undefined)
    found.decide('trim', 'spaces around cells', 'spaces follow the delimiters')
}

const written = (delimiter: string): string =>
  new Map([
    [',', 'comma'],
    [';', 'semicolon'],
    ['|', 'pipe'],
    [':', 'colon'],
    ['\t', 'tab'],
    [' ', 'space'],
    ['\u001f', 'U+001F'],
  ]).get(delimiter) ?? delimiter

/** Characters of a header and what stands above it: of most, and at most. */
const usualHeader = 4096
const largestHeader = 256 * 1024

/** As the splitter finds them, which reads the header by its own rules. */
function fieldsOf(head: string, dialect: StatedDialect, names: readonly string[]): readonly string[] {
  const splitter = splitterFor({ format: 'csv', dialect }, '', {
    table: '',
    names,
    isMasked: false,
    namesColumns: true,
    problems: () => [],
  })
  try {
    // A mark of its own, so that a character that looks like one is data.
    const most = lineEnd(head, usualHeader) + 1
    splitter.begin(Buffer.from(`\ufeff${head.slice(0, most)}`))
    if (!splitter.isPastHead) splitter.begin(Buffer.from(head.slice(most, largestHeader)))
    if (!splitter.isPastHead) splitter.finish()
    return splitter.layout.fields
  } catch {
    // Reading the file throws it again, with the name of the file.
    return names
  }
}
