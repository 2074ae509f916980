import { LadingError } from '../../core/errors.ts'
import type { Layout } from '../../core/load.ts'

/** How a file is written. It travels in message headers, so it holds nothing that JSON cannot. */
export interface Dialect {
  /** One ASCII character. */
  readonly delimiter: string
  /** One ASCII character. */
  readonly quote: string
  /** Whether the first record holds the names of the columns. */
  readonly header: boolean
}

export const defaultDialect: Dialect = { delimiter: ',', quote: '"', header: true }

/**
 * Throws `USAGE` for a dialect that cannot be read; it may come from outside, so the types are not trusted.
 */
export function validateDialect(dialect: Dialect): void {
  requireCharacter('delimiter', dialect.delimiter)
  requireCharacter('quote', dialect.quote)
  if (dialect.delimiter === dialect.quote) {
    throw new LadingError(
      'USAGE',
      `delimiter and quote are the same character: ${JSON.stringify(dialect.quote)}`,
    )
  }
  if (typeof dialect.header !== 'boolean') throw new LadingError('USAGE', 'header must be true or false')
}

const isCharacter = (value: unknown): boolean =>
  typeof value === 'string' && /^[^\n\r]$/.test(value) && value.charCodeAt(0) < 128

function requireCharacter(name: string, value: unknown): void {
  if (isCharacter(value)) return
  throw new LadingError(
    'USAGE',
    `the ${name} must be one ASCII character that ends no line, not ${JSON.stringify(value)}`,
  )
}

/** The layout of a load of CSV. */
export interface CsvLayout extends Layout {
  readonly delimiter: string
  readonly quote: string
}

export const isCsvLayout = (layout: Layout): layout is CsvLayout => {
  const { fields, delimiter, quote } = layout
  return fields.length > 0 && isCharacter(delimiter) && isCharacter(quote) && delimiter !== quote
}
