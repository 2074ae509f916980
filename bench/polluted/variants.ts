/** Every polluted variant of the clean file, with what is right for it. */
import { header, records } from './clean.ts'

export interface Variant {
  readonly kind: string
  readonly name: string
  readonly bytes: Buffer
  readonly header: readonly string[]
  readonly records: readonly (readonly string[])[]
}

interface Writing {
  readonly delimiter: string
  readonly quote: string
  /** What a quote within quotes becomes. */
  readonly escaped: string
  readonly lineEnd: string
}

const usual: Writing = { delimiter: ',', quote: '"', escaped: '""', lineEnd: '\r\n' }

/** The header is row 0. */
const table = [header, ...records]

/** In quotes where it must be. */
function cellText(cell: string, { delimiter, quote, escaped }: Writing): string {
  const isPlain =
    !cell.includes(quote) && !cell.includes(delimiter.trim() || delimiter) && !/^\s|\s$|[\r\n]/.test(cell)
  return isPlain ? cell : `${quote}${cell.replaceAll(quote, escaped)}${quote}`
}

const rowText = (row: readonly string[], how: Writing): string =>
  row.map((cell) => cellText(cell, how)).join(how.delimiter)

const lines = (rows: readonly (readonly string[])[], how: Writing = usual): string[] =>
  rows.map((row) => rowText(row, how))

const fileOf = (each: readonly string[], lineEnd = usual.lineEnd): string =>
  each.map((line) => line + lineEnd).join('')

function variant(
  kind: string,
  name: string,
  text: string,
  right: Partial<Pick<Variant, 'header' | 'records'>> = {},
): Variant {
  return { kind, name, bytes: Buffer.from(text), header, records, ...right }
}

export function* variants(): Generator<Variant> {
  yield* files()
  yield* dialects()
  yield* delimiters()
  yield* quotes()
  yield* otherDelimiters()
}

function* files(): Generator<Variant> {
  const all = lines(table)
  const [names = '', ...rest] = all
  const file = fileOf(all)
  yield variant('the clean file', 'clean', file)
  yield variant('end of the file', 'no final newline', file.slice(0, -usual.lineEnd.length))
  yield variant('end of the file', 'two final newlines', file + usual.lineEnd)
  yield variant('header', 'no header', fileOf(rest), { header: [] })
  yield variant('header', 'two header rows', fileOf([names, ...all]))
  yield variant('header', 'three header rows', fileOf([names, names, ...all]))
  yield variant(
    'preamble',
    'preamble',
    fileOf(['Orders of the shop', 'exported on 2 April 2024', '', ...all]),
  )
  for (const [name, width] of [
    ['narrower', 5],
    ['wider', 11],
    ['the same', 9],
  ] as const) {
    const second = secondTable(width)
    const text = fileOf([...all, ...lines(second)])
    yield variant('two tables', `two tables, the second ${name}`, text, {
      records: [...records, ...second.slice(1)],
    })
  }
  yield variant('few records', 'header only', fileOf([names]), { records: [] })
  yield variant('few records', 'one record', fileOf(all.slice(0, 2)), { records: records.slice(0, 1) })
  yield variant('few records', 'empty', '', { header: [], records: [] })
}

/** Ten records of the first table, cut to so many columns or with more of them. */
const secondTable = (width: number): string[][] =>
  table
    .slice(0, 11)
    .map((row, at) =>
      Array.from({ length: width }, (_, column) => row[column] ?? `${at === 0 ? 'extra' : 'x'}${column}`),
    )

function* dialects(): Generator<Variant> {
  const ways: readonly (readonly [string, string, Partial<Writing>])[] = [
    ['delimiter of the file', 'space', { delimiter: ' ' }],
    ['delimiter of the file', 'comma and space', { delimiter: ', ' }],
    ['delimiter of the file', 'semicolon', { delimiter: ';' }],
    ['delimiter of the file', 'tab', { delimiter: '\t' }],
    ['quote of the file', "'", { quote: "'", escaped: "''" }],
    ['escape of the file', 'backslash', { escaped: '\\"' }],
    ['escape of the file', 'none', { escaped: '"' }],
    ['line end of the file', 'CR', { lineEnd: '\r' }],
    ['line end of the file', 'LF', { lineEnd: '\n' }],
  ]
  for (const [kind, name, way] of ways) {
    const how = { ...usual, ...way }
    yield variant(kind, `${kind}: ${name}`, fileOf(lines(table, how), how.lineEnd))
  }
}

/** One delimiter is missing, or one is too many. */
function* delimiters(): Generator<Variant> {
  for (const [row, cells] of table.entries()) {
    const texts = cells.map((cell) => cellText(cell, usual))
    const { delimiter } = usual
    const polluted = (line: string) => fileOf(lines(table).with(row, line))
    for (let column = 1; column < texts.length; column++) {
      const line = `${texts.slice(0, column).join(delimiter)}${texts.slice(column).join(delimiter)}`
      yield variant(
        'a delimiter is missing',
        `row ${row}: no delimiter before cell ${column}`,
        polluted(line),
      )
    }
    for (let column = 0; column < texts.length; column++) {
      const line = texts.toSpliced(column, 0, '').join(delimiter)
      yield variant(
        'a delimiter is added',
        `row ${row}: two delimiters before cell ${column}`,
        polluted(line),
      )
    }
  }
}

/** One quote stands before the text of a cell. */
function* quotes(): Generator<Variant> {
  for (const [row, cells] of table.entries()) {
    for (const column of cells.keys()) {
      const texts = cells.map((cell) => cellText(cell, usual))
      const line = texts.with(column, `${usual.quote}${texts[column]}`).join(usual.delimiter)
      yield variant(
        'a stray quote',
        `row ${row}: a quote before cell ${column}`,
        fileOf(lines(table).with(row, line)),
      )
    }
  }
}

function* otherDelimiters(): Generator<Variant> {
  for (const [row, cells] of table.entries()) {
    const line = rowText(cells, { ...usual, delimiter: ';' })
    yield variant(
      'another delimiter in one row',
      `row ${row}: semicolons`,
      fileOf(lines(table).with(row, line)),
    )
  }
}
