/** Profiles of CSV that a test writes down. */
import { defaultDialect } from '../../../src/format/csv/dialect.ts'
import { CsvReader } from '../../../src/format/csv/read.ts'
import type { ColumnProfile } from '../../../src/infer/profile/column.ts'
import { Profile } from '../../../src/infer/profile/profile.ts'

/** The profile of a file: its lines below the header, which is on line 1. */
export function profileOf(fields: readonly string[], ...lines: readonly string[]): Profile {
  const profile = new Profile()
  profile.begin('file.csv', fields)
  const reader = new CsvReader(defaultDialect, fields)
  reader.open(Buffer.from(lines.map((line) => `${line}\n`).join('')))
  while (reader.next()) profile.add(reader, 2)
  profile.end()
  return profile
}

/** The profile of a column of these values. Each is a cell as it stands in the file. */
export function columnOf(...cells: readonly string[]): ColumnProfile {
  const profile = profileOf(['id', 'value'], ...cells.map((cell, row) => `r${row},${cell}`))
  return profile.columns[1] as ColumnProfile
}

/** A cell that holds the text, whatever it is. */
export const inQuotes = (text: string): string => `"${text.replaceAll('"', '""')}"`
