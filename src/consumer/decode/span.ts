/**
 * Where in the text of a record the fault is, so that a person is shown the place. Looked for only when a
 * record is refused.
 */
import { type Fault, maxRawBytes, type Span } from '../../core/fault.ts'
import type { CsvLayout } from '../../format/csv/dialect.ts'
import { RecordReader } from '../../format/csv/read.ts'
import { rewriteObject } from '../../format/json/rewrite.ts'
import { cellOfColumn, type Model, sourceName } from '../../model/model.ts'

/**
 * In a record of CSV. `text` is what is kept of it; where that is `masked`, it is another text than the fault
 * was found in.
 */
export function spanInLine(
  text: Buffer,
  fault: Fault,
  model: Model,
  layout: CsvLayout,
  masked = false,
): Span | undefined {
  if (fault.span !== undefined && !masked) return within(text, fault.span)
  const reader = new RecordReader(text.length === 0 ? Buffer.from('\n') : text, layout)
  reader.next()
  const width = layout.fields.length
  if (fault.column !== undefined) {
    const cell = cellOfColumn(model, layout.fields, fault.column)
    const isWhole = reader.fault === undefined && (reader.count === width || text.length >= maxRawBytes)
    return isWhole && cell >= 0 && cell < reader.count ? cellSpan(reader, cell) : undefined
  }
  if (masked) return undefined
  if (fault.code === 'BAD_QUOTE') return strayQuote(reader, layout.quote)
  if (fault.code !== 'COLUMN_COUNT' && fault.code !== 'BLANK_LINE') return undefined
  // What is too much, or the place where something is missing.
  const end = Math.min(reader.recordEnd, text.length)
  return { start: reader.count > width ? cellSpan(reader, width).start : end, end }
}

/** In a record of JSON. */
export function spanInObject(text: Buffer, fault: Fault, model: Model, masked = false): Span | undefined {
  if (fault.span !== undefined && !masked) return within(text, fault.span)
  const column = model.columns.find(({ name }) => name === fault.column)
  if (column === undefined) return undefined
  const field = sourceName(column)
  let span: Span | undefined
  rewriteObject(text, (name, { start, end }) => {
    if (name === field) span ??= { start, end }
    return undefined
  })
  return span
}

const within = ({ length }: Buffer, { start, end }: Span): Span => ({
  start: Math.min(start, length),
  end: Math.min(end, length),
})

/** With its quotes. */
function cellSpan({ starts, ends, quoting }: RecordReader, cell: number): Span {
  const quotes = quoting[cell] === 0 ? 0 : 1
  return { start: (starts[cell] as number) - quotes, end: (ends[cell] as number) + quotes }
}

/** The first cell that holds a quote without being quoted. */
function strayQuote(reader: RecordReader, quote: string): Span | undefined {
  for (let cell = 0; cell < reader.count; cell++) {
    const span = cellSpan(reader, cell)
    if (reader.quoting[cell] === 0 && reader.bytes.subarray(span.start, span.end).includes(quote)) return span
  }
  return undefined
}
