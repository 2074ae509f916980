/** A source with how it is written, by which it is planned and published. */
import { LadingError } from '../core/errors.ts'
import type { Notations } from '../core/notation.ts'
import type { Reading } from '../format/reading.ts'
import type { FormatOptions } from '../format/registry.ts'
import { notationsProblem } from '../model/notation/notation.ts'
import type { Source } from '../source/source.ts'

export interface ReadingOptions extends FormatOptions, Notations {
  /**
   * How each source is written, from its stored bytes; without it, the other options are the reading of every
   * source. A source may be asked about several times in one run, so remember the answer.
   */
  readonly readingOf?: (source: Source) => Promise<Reading>
}

export interface ReadSource extends Source {
  readonly reading: Reading
}

export async function readAs(source: Source, options: ReadingOptions): Promise<ReadSource> {
  const { readingOf, format, dialect, notation, notations, records, unwrap } = options
  const found =
    readingOf === undefined
      ? {
          ...(format && { format }),
          ...(dialect && { dialect }),
          ...(notation && { notation }),
          ...(notations && { notations }),
        }
      : await readingOf(source)
  const reading = { ...(records !== undefined && { records }), ...(unwrap && { unwrap }), ...found }
  const problem = notationsProblem(reading)
  if (problem !== undefined) throw new LadingError('USAGE', `the notation of ${source.name}: ${problem}`)
  return { ...source, reading }
}
