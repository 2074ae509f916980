import { parse } from 'csv-parse/sync'

/** csv-parse, an independent reader, told to follow the same rules. */
export function csvParse(text: string): string[][] {
  return parse(text, {
    bom: false,
    relax_quotes: true,
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n'],
  })
}

const cell = /"(?:[^"]|"")*"(?!")[^,\n]*|"(?:[^"]|"")*$|[^",\n][^,\n]*|/y

/**
 * The rules of record boundaries as one regular expression: what a slow reader, written in another way, makes
 * of any text. Cells are raw; each record is given without its LF but with a CR before it.
 */
export function rawRecords(text: string): { raw: string; cells: string[] }[] {
  const records: { raw: string; cells: string[] }[] = []
  let cells: string[] = []
  let start = 0
  let at = 0
  while (start < text.length) {
    cell.lastIndex = at
    const raw = cell.exec(text)?.[0] ?? ''
    cells.push(raw)
    at += raw.length
    if (text[at++] === ',') continue
    records.push({ raw: text.slice(start, at - 1), cells })
    cells = []
    start = at
  }
  return records
}
