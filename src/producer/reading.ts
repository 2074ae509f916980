/** A source with how it is written, by which it is planned and published. */
import { notationsProblem } from '../model/notation/notation.ts'
import type { Reading } from '../format/reading.ts'
import { lineEndsFor } from '../format/registry.ts'
import { skipProblem } from '../core/skip.ts'
import { LadingError } from '../core/errors.ts'
import { SourceAround } from '../source/around.ts'
import { textSource } from '../source/registry.ts'
import type { Source } from '../source/source.ts'
import { FirstBytes, type Waiting, WholeRecords } from './growing.ts'

export interface ReadingOptions extends Reading {
  /**
   * How each source is written, from its bytes as they are stored, decompressed; without it, the other options
   * are the reading of every source. A source may be asked about several times in one run, so remember the
   * answer.
   */
  readonly readingOf?: (source: Source) => Promise<Reading>
}

export interface ReadSource extends Source {
  readonly reading: Reading
  /** Of a file that grows: what was left of it when it was read last. */
  readonly waiting?: Waiting | undefined
}

/** The source as its reading gives it; throws `USAGE` for what cannot be read. */
export const readAs = async (source: Source, options: ReadingOptions): Promise<ReadSource> =>
  await reader(options)(source)

/** The same for many sources; those that are written as the options say share one reading, and need no promise. */
export function reader(options: ReadingOptions): (source: Source) => ReadSource | Promise<ReadSource> {
  const { readingOf, records, unwrap } = options
  const inside = { ...(records !== undefined && { records }), ...(unwrap && { unwrap }) }
  const checked = (name: string, own: Reading): Reading => {
    const reading = { ...inside, ...own }
    requireReadable(name, reading)
    return reading
  }
  if (readingOf !== undefined)
    return async (source) => written(source, checked(source.name, await readingOf(source)))
  let shared: Reading | undefined
  return (source) => written(source, (shared ??= checked(source.name, statedReading(options))))
}

function requireReadable(name: string, reading: Reading): void {
  const problem = notationsProblem(reading)
  if (problem !== undefined) throw new LadingError('USAGE', `the notation of ${name}: ${problem}`)
  const wrong = skipProblem(reading.skipWhen)
  if (wrong !== undefined) throw new LadingError('USAGE', wrong)
  const { footerLines = 0 } = reading
  if (!Number.isSafeInteger(footerLines) || footerLines < 0)
    throw new LadingError('USAGE', 'footerLines must be a whole number of 0 or more')
  if (reading.grows === true && footerLines > 0)
    throw new LadingError('USAGE', `${name} has lines at its end that are no records, so nothing can follow`)
}

class WrittenSource extends SourceAround implements ReadSource {
  readonly reading: Reading

  constructor(source: Source, reading: Reading) {
    super(source)
    this.reading = reading
  }

  get waiting(): Waiting | undefined {
    return this.source instanceof WholeRecords ? this.source.waiting : undefined
  }
}

/** The source, written in this way: plain text for its format. */
export function written(source: Source, reading: Reading): ReadSource {
  const { encoding, lineEnd, footerLines, dialect } = reading
  const isUsual = encoding === undefined && lineEnd === undefined && footerLines === undefined
  const options = isUsual
    ? undefined
    : {
        encoding,
        footerLines,
        lineEnds: lineEnd !== 'cr' ? undefined : lineEndsFor(source.path, reading),
        key: JSON.stringify([encoding, lineEnd === 'cr' ? dialect : undefined, footerLines]),
      }
  return new WrittenSource(partOf(textSource(source, options), reading), reading)
}

/** As much of the text as is read. */
function partOf(text: Source, reading: Reading): Source {
  if (reading.until !== undefined) return new FirstBytes(text, reading.until)
  return reading.grows === true ? new WholeRecords(text, reading) : text
}

const stated = [
  'format',
  'dialect',
  'records',
  'unwrap',
  'encoding',
  'lineEnd',
  'footerLines',
  'notation',
  'notations',
  'skipWhen',
  'grows',
] as const

/** What the options say of how every source is written. */
export const statedReading = (options: Reading): Reading =>
  Object.fromEntries(stated.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])))
