/** Values as SQL text, for a session of ours (NO_BACKSLASH_ESCAPES): in a text only the quote has to be doubled. */
import type { Sql, SqlValue } from '../sql/statement.ts'

export function literal(value: SqlValue): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (value instanceof Uint8Array) return hexLiteral(Buffer.from(value).toString('hex'))
  return value.map(literal).join(', ')
}

/** Bytes, in hexadecimal. */
export const hexLiteral = (hex: string): string => `x'${hex}'`

export const textOf = (statement: Sql): string =>
  statement.text((n) => literal(statement.values[n - 1] ?? null))
