/**
 * Rejects → files that can be corrected and loaded: the records as they came, below a header line where their
 * format has one.
 */
import { asBuffer } from '../core/bytes.ts'
import { formatOf } from '../format/registry.ts'
import type { StoredReject } from '../sink/ledger.ts'
import { layoutOf } from './redecode.ts'

/** Where to and what of the rejects is written. */
export interface ExportOptions {
  /**
   * Puts an apostrophe before cells that a spreadsheet would take for a formula. Without it the records are
   * those that came, byte for byte.
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
  /** The suffix of such files; undefined where the layout of the records was not recorded. */
  readonly suffix: string | undefined
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
    for (const [key, rejects] of Map.groupBy(page, kindOf)) {
      const [first] = rejects as [StoredReject]
      const layout = layoutOf(first)
      const text = layout && formatOf(layout)?.record
      const line = (record: Buffer) => (text && layout ? text.line(record, layout, excelSafe) : record)
      const lines = rejects.map(({ raw }) => line(asBuffer(raw)))
      if (!files.has(key)) {
        files.set(key, files.size)
        const head = layout && text?.head(layout)
        if (head !== undefined) lines.unshift(line(head))
      }
      const bytes = Buffer.concat(lines.flatMap((each) => [each, lineEnd]))
      yield { file: files.get(key) as number, suffix: layout && text?.suffix(layout), bytes }
    }
  }
}

const lineEnd = Buffer.from('\n')

/** Records of one kind can lie in one file. */
function kindOf(reject: StoredReject): string {
  const layout = layoutOf(reject)
  const text = layout && formatOf(layout)?.record
  const head = layout && text?.head(layout)
  // Without a header line, nothing of the layout shows in the file.
  return JSON.stringify([layout && text?.suffix(layout), head && layout])
}
