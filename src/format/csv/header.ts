import { cellBytes } from '../../core/cells.ts'
import { LadingError } from '../../core/errors.ts'
import type { RecordDialect } from './dialect.ts'
import { CsvReader } from './read.ts'

/**
 * Names of the columns, from the bytes of the header record (a byte order mark is taken off by the caller),
 * without the spaces and tabs around them. Throws `HEADER_MISMATCH` for a header that cannot be read and
 * `HEADER_DUPLICATE` for a name given twice.
 */
export function readHeader(bytes: Buffer, dialect: RecordDialect): string[] {
  const reader = new CsvReader(dialect)
  reader.open(bytes)
  if (!reader.next()) throw new LadingError('HEADER_MISMATCH', 'the header is missing')
  if (reader.flaw) {
    const problem =
      reader.flaw === 'BAD_QUOTE'
        ? 'a quote stands where the CSV rules allow none'
        : 'a quote is opened and never closed'
    throw new LadingError('HEADER_MISMATCH', `the header cannot be read: ${problem}`)
  }
  const seen = new Map<string, number>()
  for (let i = 0; i < reader.count; i++) {
    const name = readName(reader, i)
    const first = seen.get(name)
    if (first !== undefined) {
      throw new LadingError(
        'HEADER_DUPLICATE',
        `the header names ${JSON.stringify(name)} twice, in columns ${first} and ${i + 1}`,
      )
    }
    seen.set(name, i + 1)
  }
  return [...seen.keys()]
}

function readName(reader: CsvReader, i: number): string {
  const name = decode(cellBytes(reader, i))?.replace(/^[ \t]+|[ \t]+$/g, '')
  if (name === undefined)
    throw new LadingError('HEADER_MISMATCH', `the name of column ${i + 1} in the header is not valid UTF-8`)
  if (name === '') throw new LadingError('HEADER_MISMATCH', `column ${i + 1} has no name in the header`)
  return name
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const usualDelimiters = [',', ';', '\t', '|']

/**
 * The delimiter that makes the most columns of the header record, to be named in an error message; undefined
 * where none makes two.
 */
export function guessDelimiter(bytes: Buffer): string | undefined {
  let best: string | undefined
  let most = 1
  for (const delimiter of usualDelimiters) {
    const reader = new CsvReader({ delimiter, quote: '"' })
    reader.open(bytes)
    // With the wrong delimiter, quotes stand where they may not.
    if (!reader.next() || reader.flaw || reader.count <= most) continue
    best = delimiter
    most = reader.count
  }
  return best
}
