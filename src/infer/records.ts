/** Every record of a source, read as its reading says, for a profile. Memory does not grow with the source. */
import { linesIn } from '../core/bytes.ts'
import type { Layout } from '../core/load.ts'
import type { Abortable } from '../core/wait.ts'
import { type Filter, filterOf } from '../consumer/decode/filter.ts'
import type { RecordReader } from '../format/format.ts'
import type { Reading } from '../format/reading.ts'
import { formatOf, splitterFor } from '../format/registry.ts'
import { anyFields, type Splitter } from '../format/split.ts'
import { piecesOf } from '../source/pieces.ts'
import type { Source } from '../source/source.ts'
import type { Profile } from './profile/profile.ts'

export interface RecordOptions extends Abortable {
  /** Hears how many plain bytes were read so far. */
  readonly onRead?: ((bytes: number) => void) | undefined
  /** Looks at the first records alone: all, where the source is no longer than `headBytes`. */
  readonly isHead?: boolean
}

/** Of a longer source, a run is enough, or so much where its length shows late. */
const headBytes = 1024 * 1024

/** Bytes of records that are looked at together. */
const runBytes = 256 * 1024

/** At the end of a piece, those of a record that goes on in the next one, mostly: so few are copied. */
const restBytes = 1024

export interface Run {
  /** Whole records. */
  readonly bytes: Buffer
  /** 1-based physical line on which they begin. */
  readonly line: number
}

/** The records of a source, some at a time; throws what planning the source would throw. */
export async function* runsOf(
  source: Source,
  splitter: Splitter,
  options: RecordOptions = {},
): AsyncGenerator<Run> {
  /** Of a run that began in earlier pieces. */
  let begun: Buffer[] = []
  let line = 1
  let read = 0
  let given = 0
  const whole = source.whole?.()
  const small = whole?.bytes.length === 0 ? [] : whole && [whole.bytes]
  for await (const piece of small ?? piecesOf(source, options)) {
    options.onRead?.((read += piece.length))
    const wasPastHead = splitter.isPastHead
    let at = splitter.begin(piece)
    if (!splitter.isPastHead) continue
    if (!wasPastHead) line = splitter.lines + 1
    const last = piece.length - restBytes
    while (at < piece.length) {
      const wanted = at < last ? Math.min(at + runBytes, last) : piece.length
      const end = splitter.cut(at, begun.length > 0 ? at : wanted)
      const run = piece.subarray(at, end === -1 ? piece.length : end)
      if (end === -1) {
        if (splitter.isPastRecords !== true) begun.push(Buffer.from(run))
        break
      }
      const bytes = begun.length === 0 ? run : Buffer.concat([...begun, run])
      yield { bytes, line }
      given += bytes.length
      const isLong = given >= headBytes || piece.length >= headBytes
      if (options.isHead === true && isLong) return
      begun = []
      line = splitter.lines + 1
      at = end
    }
  }
  splitter.finish()
  if (begun.length > 0) yield { bytes: Buffer.concat(begun), line }
}

/** What looks at the records of sources, one source after the other. */
export type Looking = Pick<Profile, 'begin' | 'setFields' | 'add'> &
  Partial<Pick<Profile, 'passOver' | 'end'>>

/** Adds every record of the source to the profile. */
export async function profileSource(
  profile: Looking,
  source: Source,
  reading: Reading,
  options?: RecordOptions,
): Promise<Splitter> {
  const splitter = splitterFor(reading, source.path, anyFields)
  let records: Records | undefined
  for await (const { bytes, line } of runsOf(source, splitter, options)) {
    records ??= new Records(profile, source, splitter.layout, reading)
    records.add(bytes, line)
  }
  if (records === undefined) profile.begin(source.name, splitter.layout.fields, reading)
  profile.end?.()
  return splitter
}

/** More fields than any table can have are not told apart. */
const mostFields = 2000

class Records {
  readonly #profile: Looking
  readonly #layout: Layout
  /** Where each record names its own fields: those that were seen. */
  readonly #names: string[] | undefined
  #reader: RecordReader
  /** What is left out of the load says nothing of its columns. */
  #filter: Filter | undefined

  constructor(profile: Looking, { name }: Source, layout: Layout, reading: Reading) {
    this.#profile = profile
    const { skipWhen } = reading
    this.#layout = skipWhen === undefined ? layout : { ...layout, skipWhen }
    this.#names = layout.fields.length === 0 ? [] : undefined
    this.#reader = this.#makeReader()
    profile.begin(name, this.#reader.fields, { hasStrings: this.#names !== undefined, ...reading })
  }

  add(run: Buffer, firstLine: number): void {
    const profile = this.#profile
    this.#reader.open(run)
    let bytes = run
    let line = firstLine
    let added = 0
    while (this.#reader.next()) {
      const reader = this.#reader
      if (reader.fault !== undefined && this.#learnNames(textOf(reader, bytes))) {
        // A record inside of another object cannot be begun with.
        const isInside = this.#layout['records'] !== undefined || this.#layout['unwrap'] !== undefined
        if (!isInside) {
          line += linesIn(bytes, 0, reader.recordStart)
          bytes = bytes.subarray(reader.recordStart)
          added = 0
        }
        this.#reader = this.#makeReader()
        this.#reader.open(bytes)
        for (let skipped = 0; skipped < added; skipped++) this.#reader.next()
        profile.setFields(this.#reader.fields)
      } else {
        added++
        const isLeftOut = this.#filter?.()
        if (isLeftOut !== true) profile.add(reader, line, bytes)
        // Each record is looked at for what is left out.
        if (isLeftOut === undefined) profile.passOver?.(reader)
      }
    }
  }

  #makeReader(): RecordReader {
    const wanted = (this.#names ?? []).map((name) => ({ name, take: 'either' as const }))
    const format = formatOf(this.#layout)
    // v8 ignore next -- what a format's splitter says, the format reads
    if (format === undefined) throw new Error(`no reader of format ${this.#layout.format}`)
    const reader = format.reader(this.#layout, wanted, false)
    this.#filter = filterOf({ table: '', columns: [] }, this.#layout, reader)
    return reader
  }

  /** Whether the record has a field that was not known. */
  #learnNames(record: Buffer): boolean {
    const names = this.#names
    if (names === undefined || names.length >= mostFields) return false
    const added = namesOf(record, this.#layout).filter((name) => !names.includes(name))
    names.push(...added)
    return added.length > 0
  }
}

const textOf = ({ text, recordStart, recordEnd }: RecordReader, run: Buffer): Buffer =>
  text ?? run.subarray(recordStart, recordEnd)

/** In the order of the record: JavaScript would put numbers first. */
function namesOf(record: Buffer, layout: Layout): readonly string[] {
  const names = new Set<string>()
  formatOf(layout)?.record.rewrite(record, layout, (field) => {
    names.add(field)
    return undefined
  })
  return [...names]
}
