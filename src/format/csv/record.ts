/** One record of CSV as a person sees, corrects and exports it. */
import { cr, lf } from '../../core/bytes.ts'
import { cellBytes, unquoted } from '../../core/cells.ts'
import { maxRawBytes } from '../../core/fault.ts'
import type { Layout } from '../../core/load.ts'
import type { RecordText } from '../format.ts'
import { backslash, byteOf, type CsvCells } from './cells.ts'
import { csvReader } from './choose.ts'
import type { CsvLayout } from './dialect.ts'
import { writeCell } from './write.ts'

/** Stands on the record that the bytes are. */
function readerOn(record: Buffer, layout: Layout): CsvCells {
  const reader = csvReader(layout as CsvLayout, layout.fields)
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
    // The value of a single column is none in a blank line, and can be replaced there.
    if (record.length === 0 && layout.fields.length !== 1) return record
    const reader = readerOn(record, layout)
    if (reader.flaw !== undefined || !reader.isLast || reader.count !== layout.fields.length) return undefined
    const dialect = layout as CsvLayout
    const pieces: (Buffer | string)[] = []
    let copied = 0
    let present = reader.present
    for (const [cell, field] of layout.fields.entries()) {
      const isUnquoted = reader.quoting[cell] === unquoted
      const bytes = cellBytes(reader, cell)
      const text = replace(field, { kind: isUnquoted && bytes.length === 0 ? 'null' : 'text', bytes })
      if (text === undefined) continue
      const written = writeCell(text, dialect, cell, quotesCell(reader, cell, dialect))
      if (written === undefined) return undefined
      pieces.push(record.subarray(copied, reader.cellStart(cell)))
      // A record that was short gets the cells before this one.
      for (; present <= cell; present++) pieces.push(dialect.delimiter)
      pieces.push(written)
      copied = reader.cellEnd(cell)
    }
    pieces.push(record.subarray(copied, reader.recordEnd))
    return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
  },

  // Editors end the last line.
  trimmed: (text, layout) => {
    const escapes = (layout as CsvLayout).escape !== undefined
    if (text.at(-1) !== lf || (escapes && isEscaped(text, text.length - 1))) return text
    const isCrLf = text.at(-2) === cr && !(escapes && isEscaped(text, text.length - 2))
    return text.subarray(0, text.length - (isCrLf ? 2 : 1))
  },

  head: (layout) => {
    const dialect = layout as CsvLayout
    // A name that cannot be written is still told apart from others by its place.
    const names = layout.fields.map(
      (name, cell) =>
        writeCell(name, dialect, cell, false) ??
        name.replaceAll(/\s+/g, ' ').replaceAll(dialect.delimiter, '_'),
    )
    return Buffer.from(names.join(dialect.delimiter))
  },

  line: (record, layout, excelSafe) => (excelSafe ? withoutFormulas(record, layout) : record),
}

/** Whether backslashes before the byte make it data. */
function isEscaped(text: Buffer, at: number): boolean {
  let first = at
  while (text[first - 1] === backslash) first--
  return (at - first) % 2 === 1
}

const quotesCell = (reader: CsvCells, cell: number, { quote }: CsvLayout): boolean =>
  quote !== '' && reader.bytes[reader.cellStart(cell)] === byteOf(quote)

/** What a spreadsheet takes for the beginning of a formula, or passes over before one: = + - @ tab CR. */
const dangerous = new Set([0x3d, 0x2b, 0x2d, 0x40, 0x09, 0x0d])

/** An apostrophe before each cell that begins like a formula, quotes passed over. */
function withoutFormulas(line: Buffer, layout: Layout): Buffer {
  const reader = csvReader(layout as CsvLayout)
  reader.openOne(line)
  const quote = byteOf((layout as CsvLayout).quote)
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
