import { LadingError } from '../core/errors.ts'
import { splitScheme } from '../core/url.ts'
import type { Sink } from './sink.ts'

export const defaultSinkUrl = 'sqlite:./lading.db'

/**
 * Opens the database that the URL names. Adapters are imported when used, so that no driver is loaded that
 * nobody needs.
 */
export async function openSink(url: string = defaultSinkUrl): Promise<Sink> {
  const { scheme, rest } = splitScheme(url) ?? {}
  if (scheme === undefined || rest === undefined)
    throw new LadingError('USAGE', 'the database URL has no scheme: postgresql://… or sqlite:PATH')
  switch (scheme) {
    case 'sqlite': {
      const { SqliteSink } = await import('./sqlite/sqlite.ts')
      if (rest === '') throw new LadingError('USAGE', 'the database URL names no file: sqlite:PATH')
      return new SqliteSink(rest)
    }
    case 'postgres':
    case 'postgresql': {
      const { PostgresSink } = await import('./postgres/postgres.ts')
      return new PostgresSink(url)
    }
    default:
      throw new LadingError(
        'USAGE',
        `no database is known for '${scheme}:'; there are postgresql://… and sqlite:PATH`,
      )
  }
}
