/**
 * Which delimiter, quote and escape a text is written with: every dialect of a fixed set that its marks allow reads a sample,
 * and the one wins whose records have the same number of cells, and whose cells look like values.
 */
import type { StatedDialect } from '../../format/registry.ts'
import { holdsValues, isTable, largestBlock, namesAll, namesValues, type Within } from './block.ts'
import { kindOf } from './kinds.ts'
import { type Marks, readRows, type Row } from './rows.ts'
import { isBlank, isComment, widthOf, withoutRemarks } from './widths.ts'

/** In the order of preference; the number is a prior, for those that other texts are full of. */
const delimiters: ReadonlyMap<string, number> = new Map([
  [',', 1],
  [';', 0.98],
  ['\t', 0.99],
  ['|', 0.95],
  ['\u001f', 0.95],
  [' ', 0.6],
  [':', 0.55],
])
/** They rarely stand in a value, so one reading without exception is believed. */
export const strong = [',', ';', '\t', '|', '\u001f']
const weak = [...delimiters.keys()].filter((each) => !strong.includes(each))

/** Characters that decide. */
const sampleSize = 128 * 1024

/** Of a column alone: a delimiter must explain nearly half of the lines to be believed. */
const singleScore = 0.45

export interface Candidate {
  readonly marks: Marks
  /** The text that was read, which is all of it or its beginning, and all of its rows. */
  readonly sample: string
  readonly read: readonly Row[]
  /** Those that count. */
  readonly rows: readonly Row[]
  /** Cells of most rows. */
  readonly width: number
  /** Whether every row has them, and no quote is amiss. */
  readonly isPerfect: boolean
  /** Counted when it is asked for: most texts have one candidate. */
  readonly score: number
  readonly flaws: number
  readonly quotedCells: number
  /** Of a text of one column: a table in it. */
  readonly within?: Within | undefined
}

export type StatedMarks = Pick<StatedDialect, 'delimiter' | 'quote' | 'escape' | 'trim' | 'comment'>

export function chooseMarks(text: string, stated: StatedMarks): Candidate {
  const sample =
    text.length <= sampleSize ? text : text.slice(0, text.lastIndexOf('\n', sampleSize) + 1 || sampleSize)
  if (stated.delimiter !== undefined) return best(variants(sample, stated.delimiter, stated))
  const judged = (some: readonly string[]) =>
    some
      .filter((delimiter) => sample.includes(delimiter))
      .flatMap((delimiter) => variants(sample, delimiter, stated))
      .filter(isCredible(sample))
  const wide = (all: readonly Candidate[]) => all.filter(({ width }) => width > 1)
  const all = judged(strong)
  const found = wide(all)
  // Nothing else can win then.
  if (found.some((each) => rank(each) > 0)) return best(found)
  const winner = best([...found, ...wide(judged(weak)), singleColumn(sample, stated)])
  return winner.width > 1 ? winner : { ...winner, within: tableWithin(all) }
}

/** The largest table in a text that no delimiter explains. */
function tableWithin(all: readonly Candidate[]): Within | undefined {
  const tables = all.flatMap(({ read, rows, width, marks }) => {
    const block = largestBlock(read)
    if (block === undefined || block.width < width || !isTable(block, rows.length, marks)) return []
    return [{ block, delimiter: marks.delimiter, cells: block.rows.length * block.width }]
  })
  return tables.toSorted((one, other) => other.cells - one.cells)[0]
}

const rank = ({ isPerfect, marks, width }: Candidate): number =>
  isPerfect && width > 1 && strong.includes(marks.delimiter) ? 1 : 0

function best(candidates: readonly Candidate[]): Candidate {
  return candidates.reduce((winner, each) => {
    const difference = rank(each) - rank(winner) || each.score - winner.score
    return difference > 0 ? each : winner
  })
}

/** The readings with one delimiter; later ones only where the earlier ones leave something unexplained. */
function variants(sample: string, delimiter: string, stated: StatedMarks): Candidate[] {
  const fixed = fixedOf(stated)
  const read = (marks: Omit<Marks, 'delimiter'>, prior = 1) =>
    judge(sample, { delimiter, ...fixed, ...marks }, prior * (delimiters.get(delimiter) ?? 1), stated)
  const quotes = stated.quote === undefined ? ['"', ...(mayQuote(sample, "'") ? ["'"] : [])] : [stated.quote]
  const all: Candidate[] = []
  for (const quote of quotes) {
    const prior = quote === '"' || stated.quote !== undefined ? 1 : 0.9
    const plain = read({ quote }, prior)
    all.push(plain)
    if (stated.escape === undefined && !plain.isPerfect && escapesMarks(sample, delimiter))
      all.push(read({ quote, escape: '\\' }, prior * 0.97))
    else if (quote !== '' && stated.escape === undefined && plain.flaws > 0 && sample.includes(`\\${quote}`))
      all.push(read({ quote, escape: '\\' }, prior * 0.97))
    if (stated.trim === undefined && mayTrim(sample, delimiter, quote)) {
      // Of two that are equal, the first one is taken.
      if (isSpaced(plain)) all.unshift(read({ quote, trim: true }, prior))
      else all.push(read({ quote, trim: true }, prior * 0.98))
      if (plain.flaws > 0 && sample.includes(`\\${quote}`))
        all.push(read({ quote, trim: true, escape: '\\' }, prior * 0.95))
    }
  }
  const isUnquoted = stated.quote === undefined && all.every(({ quotedCells }) => quotedCells === 0)
  if (isUnquoted && all.some(({ flaws }) => flaws > 0)) all.push(read({ quote: '' }, 0.95))
  return all
}

/** Whether a backslash stands before a delimiter or a line end, as where a text has them and no quotes around it. */
const escapesMarks = (sample: string, delimiter: string): boolean =>
  [delimiter, '\n', '\r\n'].some((mark) => sample.includes(`\\${mark}`))

const fixedOf = ({ escape, trim }: StatedMarks) => ({
  ...(escape && { escape }),
  ...(trim === true && { trim }),
})

const mayQuote = (sample: string, quote: string): boolean => {
  const opening = new RegExp(`(?<=^|[,;|:\\t ])${quote}`)
  const closing = new RegExp(`${quote}(?=[,;|:\\t \\r]|$)`, 'g')
  return sample.split('\n').some((line) => {
    const start = line.search(opening)
    return start >= 0 && [...line.matchAll(closing)].some(({ index }) => index > start)
  })
}

/** Where blanks stand before an opening quote, or behind each delimiter of the first lines. */
export function mayTrim(sample: string, delimiter: string, quote: string): boolean {
  if (delimiter === ' ' || delimiter === '\t') return false
  const start = sample.slice(0, 4096)
  const behind = start.split(delimiter).slice(1, -1)
  const areAllBlank = behind.length > 1 && behind.every((cell) => /^( |[\r\n]|$)/.test(cell))
  const mark = `[${classOf(delimiter)}]`
  return areAllBlank || (quote !== '' && new RegExp(`${mark} +${quote}|${quote} +${mark}`).test(sample))
}

/** Whether a blank stands behind each delimiter, unless nothing does: not everywhere, as in `a,,`. */
function isSpaced({ read, width }: Candidate): boolean {
  const behind = width > 1 ? read.flatMap(({ cells }) => cells.slice(1).filter((cell) => cell !== '')) : []
  return behind.length > 0 && behind.every((cell) => cell.startsWith(' '))
}

const classOf = (character: string): string => (character === '|' ? '\\|' : character)

/** Blanks are no part of values only where every cell has one in front, or a quote needs it. */
function judge(sample: string, marks: Marks, prior: number, stated: StatedMarks): Candidate {
  const read = readRows(sample, marks)
  const all = withoutRemarks(read.filter((row) => !isBlank(row) && !isComment(row, stated.comment)))
  const width = widthOf(read, all, stated)
  const flaws = all.filter(({ isFlawed }) => isFlawed).length
  const isEven = marks.delimiter === ' ' && areEven(all)
  const agreeing = all.filter((row) => (isEven || row.cells.length === width) && !row.isFlawed)
  const isPerfect = all.length > 1 && agreeing.length === all.length
  let score: number | undefined
  return {
    marks,
    sample,
    read,
    rows: all,
    width,
    isPerfect,
    flaws,
    quotedCells: all.reduce((sum, { quoted }) => sum + quoted.size, 0),
    get score() {
      return (score ??= scoreOf(all, agreeing, this) * prior)
    },
  }
}

/** Whether all rows have the same number of cells. A blank at the end of a line adds none. */
const areEven = (rows: readonly Row[]): boolean =>
  new Set(rows.map(({ cells }) => cells.length - (cells.at(-1) === '' ? 1 : 0))).size === 1

function scoreOf(
  all: readonly Row[],
  agreeing: readonly Row[],
  { marks, width, isPerfect }: Omit<Candidate, 'score'>,
): number {
  const first = all.findIndex((row) => row.cells.length === width)
  // A title above the table speaks less against it than a line within.
  const counted = all.length - first / 2
  const share = all.length === 0 ? 0 : agreeing.length / Math.max(counted, 1)
  const agreement = !isPerfect && namesAll(all) && holdsValues(all) ? 1 : share
  const looks = looksOf(agreeing, marks)
  // Nothing was cut into cells that could look wrong.
  const credit = width === 1 ? 1 : isPerfect ? Math.max(looks, 0.6) : looks
  const gain = width === 1 ? singleScore : 1 - 0.3 / width
  const isDoubtful =
    areLinesAbove(all, first) &&
    ((first === 1 && agreeing.length < 2) || (width === 2 && !namesValues(agreeing)))
  return agreement * credit * gain * (isDoubtful ? 0.5 : 1)
}

/** Lines of one cell right above others that look like more may be those of one column, rather than titles or comments. */
function areLinesAbove(all: readonly Row[], first: number): boolean {
  const [last, next] = [all[first - 1], all[first]]
  if (last === undefined || next === undefined || last.line + last.lines !== next.line) return false
  return all.slice(0, first).every(({ cells }) => cells.length === 1 && cells[0]?.startsWith('#') === false)
}

/** Rows whose cells are looked at. */
const mostLooked = 500

/** How much the cells look like values and not like pieces of something else, from 0 to 1. */
function looksOf(rows: readonly Row[], marks: Marks): number {
  const others = strong.filter((each) => each !== marks.delimiter)
  let sum = 0
  let cells = 0
  let bare = 0
  for (const row of rows.slice(0, mostLooked)) {
    for (const [index, cell] of row.cells.entries()) {
      const isQuoted = row.quoted.has(index)
      sum += isQuoted ? 1 : lookOf(cell, others)
      cells++
      if (!isQuoted && cell !== '' && !/^[-+\d.,eE]+$/.test(cell)) bare++
    }
  }
  if (cells === 0) return 0
  // An apostrophe is a quote only where a delimiter or every text needs it.
  const isNeeded = marks.quote !== "'" || bare === 0 || rows.some((row) => needsQuote(row, marks))
  return (sum / cells) * (isNeeded ? 1 : 0.6)
}

function lookOf(cell: string, others: readonly string[]): number {
  const kind = kindOf(cell)
  if (kind !== 'text' && kind !== 'code') return 1
  const other = others.find((each) => cell.includes(each))
  if (other === undefined) return cell.startsWith(' ') ? 0.75 : 0.9
  return other === ',' && !/,\S/.test(cell) ? 0.6 : 0.2
}

const needsQuote = ({ cells, quoted }: Row, { delimiter }: Marks): boolean =>
  [...quoted].some((index) => /[\n']/.test(cells[index] ?? '') || cells[index]?.includes(delimiter))

/** Weak delimiters are believed only where nothing else explains the lines. */
const isCredible =
  (sample: string) =>
  ({ marks, width, rows, isPerfect, quotedCells }: Candidate): boolean => {
    if (isDecimals(rows, marks, width)) return false
    if (marks.delimiter === ':')
      return isPerfect && width > 2 && !/(^|[^\d:])\d{1,2}:\d\d(:\d\d)?([^\d:]|$)/m.test(sample)
    if (marks.delimiter !== ' ') return true
    const lines = sample.split(/\r?\n/, 100).filter((line) => line !== '')
    if (lines.slice(1).every((line) => kindOf(line) !== 'text')) return false
    const isTyped = rows
      .slice(1)
      .every(({ cells }) => cells.some((cell) => /^[-+.\d]/.test(cell) && kindOf(cell) !== 'text'))
    return rows.length > 1 && (quotedCells > 0 || (isTyped && isPerfect))
  }

/** One column of numbers with a decimal comma looks like two of integers below a title. */
function isDecimals(rows: readonly Row[], { delimiter }: Marks, width: number): boolean {
  if (delimiter !== ',' || width !== 2) return false
  const [first, ...rest] = rows
  const isHalf = ({ cells: [whole = '', part = ''] }: Row) =>
    /^[-+]?[\d. ]+$/.test(whole) && /^\d+$/.test(part)
  const fits = rest.every((row) => row.cells.length === 1 || isHalf(row)) && rest.some(isHalf)
  return first?.cells.length === 1 && fits
}

/** Every line is one cell. */
function singleColumn(sample: string, stated: StatedMarks): Candidate {
  const quote = stated.quote ?? '"'
  const usual = judge(sample, { ...fixedOf(stated), delimiter: ',', quote }, 1, stated)
  const isOneCell = () => usual.read.every(({ cells }) => cells.length === 1)
  if (usual.isPerfect && usual.width === 1 && isOneCell()) return usual
  const unused = ['\t', ';', '|'].find((each) => !sample.includes(each)) ?? '\u001f'
  const delimiter = sample.includes(',') ? unused : ','
  const quoting = judge(sample, { ...fixedOf(stated), delimiter, quote }, 1, stated)
  if (quoting.flaws === 0 || quoting.quotedCells > 0 || stated.quote !== undefined) return quoting
  return judge(sample, { ...fixedOf(stated), delimiter, quote: '' }, 1, stated)
}
