/**
 * Rejects → files that can be mended and loaded: the records as they came, below a header line where they are
 * CSV.
 */
import { asBuffer } from '../core/bytes.ts'
import type { Layout } from '../core/load.ts'
import { type CsvLayout, csvLayout } from '../format/csv/dialect.ts'
import { RecordReader } from '../format/csv/read.ts'
import type { StoredReject } from '../sink/sink.ts'

export interface ExportOptions {
  /**
   * Puts an apostrophe before cells of CSV that a spreadsheet would take for a formula. Without it the
   * records are those that came, byte for byte.
   */
  readonly excelSafe?: boolean | undefined
}

/** Some records of one kind. */
export interface ExportedRecords {
  /**
   * 0-based number of the file that they belong to: records of other columns, or written in another way,
   * belong to another one.
   */
  readonly file: number
  /** How the file is written; undefined for objects of JSON, one a line. */
  readonly layout: Layout | undefined
  readonly bytes: Buffer
}

/**
 * Whatever order the rejects come in, the first of each file brings its header. No more is held than one
 * page.
 */
export async function* exportRejects(
  pages: AsyncIterable<readonly StoredReject[]>,
  { excelSafe = false }: ExportOptions = {},
): AsyncGenerator<ExportedRecords> {
  const files = new Map<string, number>()
  for await (const page of pages) {
    for (const [key, rejects] of Map.groupBy(page, ({ layout, loadId }) =>
      JSON.stringify(layout ?? (loadId === undefined ? '{}' : '')),
    )) {
      const layout = rejects[0]?.layout
      const safe = (bytes: Buffer) =>
        excelSafe && layout !== undefined ? withoutFormulas(bytes, csvLayout(layout)) : bytes
      const lines = rejects.map(({ raw }) => safe(asBuffer(raw)))
      if (!files.has(key)) {
        files.set(key, files.size)
        if (layout !== undefined) lines.unshift(safe(headerOf(csvLayout(layout))))
      }
      const bytes = Buffer.concat(lines.flatMap((line) => [line, lineEnd]))
      yield { file: files.get(key) as number, layout, bytes }
    }
  }
}

const lineEnd = Buffer.from('\n')

function headerOf({ fields, delimiter, quote }: CsvLayout): Buffer {
  const isPlain = (name: string) => !name.includes(delimiter) && !name.includes(quote) && !/[\r\n]/.test(name)
  const cells = fields.map((name) =>
    isPlain(name) ? name : `${quote}${name.replaceAll(quote, quote + quote)}${quote}`,
  )
  return Buffer.from(cells.join(delimiter))
}

/** What a spreadsheet takes for the beginning of a formula, or passes over before one: = + - @ tab CR. */
const dangerous = new Set([0x3d, 0x2b, 0x2d, 0x40, 0x09, 0x0d])

/** An apostrophe before each cell that begins like a formula, quotes passed over. */
function withoutFormulas(line: Buffer, layout: CsvLayout): Buffer {
  const reader = new RecordReader(line, layout)
  if (!reader.next()) return line
  const quote = layout.quote.charCodeAt(0)
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
