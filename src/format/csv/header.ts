import { cellBytes } from '../../core/cells.ts'
import { LadingError } from '../../core/errors.ts'
import { withoutBlanks } from '../../core/text.ts'
import { type UniqueNames, uniqueNames } from '../names.ts'
import type { CsvCells } from './cells.ts'
import { csvReader } from './choose.ts'
import { type RecordDialect, withoutRagged } from './dialect.ts'

export interface Header extends UniqueNames {
  /** Whether columns beyond the last name were left out, which have no name and should have no values. */
  readonly isTrimmed: boolean
}

interface HeaderOptions {
  /** Records that it takes. */
  readonly rows?: number
  /** Whether a column without a name gets one, and a name that stands twice a suffix. */
  readonly namesColumns?: boolean
  /** Names that are read: made names among them are meant. */
  readonly wanted?: readonly string[]
}

/**
 * Names of the columns, from the bytes of the header's records (a byte order mark is taken off by the caller),
 * without the spaces and tabs around them. Throws `HEADER_MISMATCH` for a header that cannot be read and
 * `HEADER_DUPLICATE` for a name given twice.
 */
export function readHeader(bytes: Buffer, dialect: RecordDialect, options: HeaderOptions = {}): Header {
  const { rows = 1, namesColumns = false, wanted = [] } = options
  const names = joinedNames(bytes, dialect, rows)
  const named = names.findLastIndex((name) => name !== '') + 1
  const isLonger = named > 0 && named < names.length
  // With names of their own, columns may hold values, unless records may be trimmed.
  const isTrimmed = isLonger && dialect.ragged !== undefined
  const made = uniqueNames(isTrimmed ? names.slice(0, named) : names)
  if (namesColumns || made.made.every((name) => wanted.includes(name))) return { ...made, isTrimmed }
  const given = isLonger ? names.slice(0, named) : names
  requireNames(given)
  return { fields: given, isTrimmed: isLonger, made: [] }
}

/** By column, over all rows. */
function joinedNames(bytes: Buffer, dialect: RecordDialect, rows: number): string[] {
  const reader = csvReader(withoutRagged(dialect))
  reader.open(bytes)
  const names: string[][] = []
  for (let row = 0; row < rows; row++) {
    if (!reader.next()) {
      const what = row === 0 ? 'the header is missing' : `the header has ${row} of ${rows} rows`
      throw new LadingError('HEADER_MISMATCH', what)
    }
    if (reader.flaw !== undefined) throw unreadable(reader.flaw)
    for (let i = 0; i < reader.count; i++) (names[i] ??= []).push(readName(reader, i))
  }
  return names.map((parts) => parts.filter((part) => part !== '').join(' '))
}

function unreadable(flaw: 'BAD_QUOTE' | 'UNCLOSED_QUOTE'): LadingError {
  const problem =
    flaw === 'BAD_QUOTE'
      ? 'a quote stands where the CSV rules allow none'
      : 'a quote is opened and never closed'
  return new LadingError('HEADER_MISMATCH', `the header cannot be read: ${problem}`)
}

function requireNames(names: readonly string[]): void {
  const seen = new Map<string, number>()
  for (const [index, name] of names.entries()) {
    if (name === '') throw new LadingError('HEADER_MISMATCH', `column ${index + 1} has no name in the header`)
    const first = seen.get(name)
    if (first !== undefined) {
      throw new LadingError(
        'HEADER_DUPLICATE',
        `the header names ${JSON.stringify(name)} twice, in columns ${first} and ${index + 1}`,
      )
    }
    seen.set(name, index + 1)
  }
}

function readName(reader: CsvCells, i: number): string {
  const name = decode(cellBytes(reader, i))
  if (name === undefined)
    throw new LadingError(
      'HEADER_MISMATCH',
      `the name of column ${i + 1} in the header is not valid UTF-8; --encoding says what it is written in`,
    )
  return withoutBlanks(name)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
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
    const reader = csvReader({ delimiter, quote: '"' })
    reader.open(bytes)
    // With the wrong delimiter, quotes stand where they may not.
    if (!reader.next() || reader.flaw || reader.count <= most) continue
    best = delimiter
    most = reader.count
  }
  return best
}
