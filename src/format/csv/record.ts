/** One record of CSV as a person sees, corrects and exports it. */
import { cr, lf } from '../../core/bytes.ts'
import { cellBytes, unquoted } from '../../core/cells.ts'
import { maxRawBytes } from '../../core/fault.ts'
import type { Layout } from '../../core/load.ts'
import type { RecordText } from '../format.ts'
import type { CsvLayout } from './dialect.ts'
import { CsvReader } from './read.ts'

/** Stands on the record that the bytes are. */
function readerOn(record: Buffer, layout: Layout): CsvReader {
  const reader = new CsvReader(layout as CsvLayout, layout.fields)
  reader.openOne(record)
  return reader
}

export const csvRecord: RecordText = {
  suffix: (layout) => ((layout as CsvLayout).delimiter === '\t' ? '.tsv' : '.csv'),

  locate: (record, layout, _, cell) => {
    const reader = readerOn(record, layout)
    // What was kept of a long record may end before its last cells.
    const isWhole = reader.count === layout.fields.length || record.length >= maxRawBytes
    if (reader.flaw !== undefined || !isWhole || cell < 0 || cell >= reader.count) return undefined
    return { start: reader.cellStart(cell), end: reader.cellEnd(cell) }
  },

  rewrite: (record, layout, replace) => {
    if (record.length === 0) return record
    const reader = readerOn(record, layout)
    if (reader.flaw !== undefined || !reader.isLast || reader.count !== layout.fields.length) return undefined
    const { delimiter } = layout as CsvLayout
    const cells = layout.fields.map((field, cell) => {
      const isUnquoted = reader.quoting[cell] === unquoted
      const bytes = cellBytes(reader, cell)
      const text = replace(field, { kind: isUnquoted && bytes.length === 0 ? 'null' : 'text', bytes })
      if (text === undefined) return record.subarray(reader.cellStart(cell), reader.cellEnd(cell))
      return Buffer.from(isUnquoted && isPlain(text, layout) ? text : inQuotes(text, layout))
    })
    return Buffer.concat(
      cells.flatMap((cell, index) => (index === 0 ? [cell] : [Buffer.from(delimiter), cell])),
    )
  },

  // Editors end the last line.
  trimmed: (text) => {
    if (text.at(-1) !== lf) return text
    return text.subarray(0, text.length - (text.at(-2) === cr ? 2 : 1))
  },

  head: (layout) =>
    Buffer.from(
      layout.fields
        .map((name) => (isPlain(name, layout) ? name : inQuotes(name, layout)))
        .join((layout as CsvLayout).delimiter),
    ),

  line: (record, layout, excelSafe) => (excelSafe ? withoutFormulas(record, layout) : record),
}

function isPlain(text: string, layout: Layout): boolean {
  const { delimiter, quote } = layout as CsvLayout
  return !text.includes(delimiter) && !text.includes(quote) && !/[\r\n]/.test(text)
}

function inQuotes(text: string, layout: Layout): string {
  const { quote } = layout as CsvLayout
  return `${quote}${text.replaceAll(quote, quote + quote)}${quote}`
}

/** What a spreadsheet takes for the beginning of a formula, or passes over before one: = + - @ tab CR. */
const dangerous = new Set([0x3d, 0x2b, 0x2d, 0x40, 0x09, 0x0d])

/** An apostrophe before each cell that begins like a formula, quotes passed over. */
function withoutFormulas(line: Buffer, layout: Layout): Buffer {
  const reader = new CsvReader(layout as CsvLayout)
  reader.open(line)
  if (!reader.next()) return line
  const quote = (layout as CsvLayout).quote.charCodeAt(0)
  const pieces: Buffer[] = []
  let copied = 0
  for (let cell = 0; cell < reader.count; cell++) {
    let at = reader.starts[cell] as number
    while (line[at] === quote) at++
    if (at >= (reader.ends[cell] as number) || !dangerous.has(line[at] as number)) continue
    pieces.push(line.subarray(copied, at), Buffer.from("'"))
    copied = at
  }
  return Buffer.concat([...pieces, line.subarray(copied)])
}
