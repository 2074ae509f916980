import fc from 'fast-check'
import { type Dialect, defaultDialect } from '../../../src/format/csv/dialect.ts'
import { cellText, CsvReader } from '../../../src/format/csv/read.ts'
import { RecordScanner } from '../../../src/format/csv/scan.ts'

export const bytesOf = (text: string): Buffer => Buffer.from(text)

export interface ReadRecord {
  readonly cells: string[]
  readonly fault: string | undefined
  readonly raw: string
  readonly line: number
}

export function readAll(bytes: Buffer, dialect: Dialect = defaultDialect): ReadRecord[] {
  const records: ReadRecord[] = []
  const reader = new CsvReader(dialect)
  reader.open(bytes)
  let [line, counted] = [0, 0]
  while (reader.next()) {
    const cells = Array.from({ length: reader.count }, (_, i) => cellText(reader, i))
    const raw = bytes.toString('utf8', reader.recordStart, reader.recordEnd)
    line += count(bytes.toString('latin1', counted, reader.recordStart), '\n')
    counted = reader.recordStart
    records.push({ cells, fault: reader.flaw, raw, line })
  }
  return records
}

export const readCells = (bytes: Buffer, dialect?: Dialect): string[][] =>
  readAll(bytes, dialect).map((record) => record.cells)

/**
 * Cuts a file as the producer does: pieces as they come from the disk, chunks of at least `min` bytes that
 * end with a record.
 */
export function cutAll(
  file: Uint8Array,
  pieces: readonly number[],
  min: number,
  dialect: Dialect = defaultDialect,
) {
  const scanner = new RecordScanner(dialect)
  const chunks: { bytes: Buffer; records: number; lines: number }[] = []
  let held: Uint8Array[] = []
  let taken = { records: 0, lines: 0 }
  const close = () => {
    const { records, lines } = scanner
    chunks.push({
      bytes: Buffer.concat(held),
      records: records - taken.records,
      lines: lines - taken.lines,
    })
    held = []
    taken = { records, lines }
  }
  for (const piece of split(file, pieces)) {
    let from = 0
    for (;;) {
      const size = held.reduce((sum, part) => sum + part.length, 0)
      const end = scanner.cut(piece, from, from + min - size)
      held.push(piece.slice(from, end === -1 ? piece.length : end))
      if (end === -1) break
      close()
      from = end
    }
  }
  const { unclosedQuoteLine } = scanner.finish()
  if (held.some((part) => part.length > 0)) close()
  return { chunks, scanner, unclosedQuoteLine }
}

/**
 * Views of `file` of the given sizes, over and over; each at an odd place of a larger buffer, as pieces of a
 * pool are.
 */
function split(file: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0, i = 0; at < file.length; i++) {
    const size = sizes[i % sizes.length] ?? file.length
    const piece = file.subarray(at, at + size)
    const pool = new Uint8Array(piece.length + 8).fill(10)
    pool.set(piece, 1 + (i % 4))
    pieces.push(pool.subarray(1 + (i % 4), 1 + (i % 4) + piece.length))
    at += size
  }
  return pieces
}

export const count = (text: string, character: string): number => text.split(character).length - 1

/** Texts of the characters that decide, so that short ones meet every rule in every order. */
export const adversarialText = fc
  .array(fc.constantFrom('a', '"', ',', '\n', '\r', ' ', '\r\n', '""', '",', '"\n', 'é'), { maxLength: 40 })
  .map((parts) => parts.join(''))

export const pieceSizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })

const cellValue = fc
  .array(fc.constantFrom('a', 'b', '0', '"', ',', '\n', '\r', '\r\n', ' ', '☃'), { maxLength: 6 })
  .map((c) => c.join(''))
const quotedCell = cellValue.map((value) => `"${value.replaceAll('"', '""')}"`)
const plainCell = fc.array(fc.constantFrom('a', 'b', '0', ' ', '☃'), { maxLength: 6 }).map((c) => c.join(''))
const record = fc
  .array(fc.oneof(quotedCell, plainCell), { minLength: 1, maxLength: 5 })
  .map((cells) => cells.join(','))

/**
 * Files that keep to the rules: quoted where they must be and where they need not, either line end, with and
 * without a last one.
 */
export const legalText = fc
  .tuple(
    fc.array(fc.tuple(record, fc.constantFrom('\n', '\r\n')), { maxLength: 8 }),
    fc.option(record, { nil: '' }),
  )
  .map(([lines, last]) => lines.map((line) => line.join('')).join('') + last)
