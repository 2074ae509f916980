/**
 * Pass 1 over a file: splits it into chunks of whole records, counts and hashes them, and finds every
 * structural fault before anything is published. Memory does not grow with the file: chunks are handed on as
 * they are found.
 */
import { createHash, type Hash } from 'node:crypto'
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import { maxRecordBytes } from '../core/load.ts'
import type { Abortable } from '../core/wait.ts'
import type { Dialect } from '../format/csv/dialect.ts'
import { guessDelimiter, readHeader } from '../format/csv/header.ts'
import { LoneCrSearch, RecordScanner } from '../format/csv/scan.ts'
import { isMasked, type Model, sourceColumns, sourceName, tableName } from '../model/model.ts'
import { fieldProblems } from '../model/record.ts'
import type { ReadOptions, Source } from '../source/source.ts'

export interface PlannedChunk {
  readonly chunk: number
  readonly byteStart: number
  readonly bytes: number
  readonly firstRecord: number
  readonly firstLine: number
  readonly records: number
  readonly sha256: string
}

export interface PlanOptions extends Abortable {
  readonly model: Model
  readonly dialect: Dialect
  /** A chunk ends with the first record that ends at or beyond this many bytes. */
  readonly chunkBytes: number
  readonly ignoreExtra: boolean
  /** Told what was read so far, decompressed: at the beginning, and after each 16 MiB or so. */
  readonly onRead?: ((bytes: number) => void) | undefined
}

/** Problems of a header that are told. */
const mostListed = 6

/** Most headers are shorter, and what is read with them is hashed for nothing. */
const headerPieceBytes = 4096

const reportEveryBytes = 16 * 1024 * 1024

export interface Plan {
  readonly fields: readonly string[]
  /** Fingerprint of the model. */
  readonly model: string
  /** sha256 of the plain bytes, and their number. */
  readonly sha256: string
  readonly bytes: number
  /** Identifies dialect, fields, model and every chunk. */
  readonly plan: string
  readonly chunks: number
  readonly records: number
  /** Of the source, see `Source.state`. */
  readonly state: string
}

/** Plans the source and calls `onChunk` for each chunk, in order. */
export async function planSource(
  source: Source,
  options: PlanOptions,
  onChunk: (chunk: PlannedChunk) => void,
): Promise<Plan> {
  const state = await source.state()
  const planner = new Planner(source.path, options, onChunk)
  let reported = 0
  options.onRead?.(reported)
  for await (const piece of piecesOf(source, options)) {
    planner.push(piece)
    if (planner.bytes - reported < reportEveryBytes) continue
    reported = planner.bytes
    options.onRead?.(reported)
  }
  const plan = planner.finish()
  if ((await source.state()) !== state)
    throw new LadingError(
      'SOURCE_CHANGED',
      `${source.path} changed while it was planned; nothing was published`,
    )
  return { ...plan, state }
}

/** Reads the source as far as its header, and throws what `planSource` would throw for that. */
export async function checkHeader(
  source: Source,
  options: Omit<PlanOptions, 'chunkBytes' | 'onRead'>,
): Promise<void> {
  await source.state()
  const all = { ...options, chunkBytes: Number.POSITIVE_INFINITY }
  const planner = new Planner(source.path, all, () => undefined)
  if (planner.hasFields) return
  for await (const piece of piecesOf(source, { ...options, pieceBytes: headerPieceBytes })) {
    planner.push(piece)
    if (planner.hasFields) return
  }
  planner.finish()
}

async function* piecesOf(source: Source, { signal, ...options }: ReadOptions & Abortable) {
  for await (const piece of source.bytes(options)) {
    if (signal?.aborted) throw new LadingError('ABORTED', `stopped while reading ${source.path}`)
    yield piece
  }
}

class Planner {
  readonly #path: string
  readonly #options: PlanOptions
  readonly #onChunk: (chunk: PlannedChunk) => void
  readonly #scanner: RecordScanner
  readonly #loneCr: LoneCrSearch
  readonly #fileHash = createHash('sha256')
  readonly #planHash = createHash('sha256')
  /** Pieces of the header record until it is whole. */
  #header: Buffer[] | undefined = []
  #fields: readonly string[] = []
  #chunkHash: Hash = createHash('sha256')
  #bytes = 0
  #chunkStart = 0
  #chunks = 0
  /** Counts of the scanner when the chunk began; the header is one record to it. */
  #recordsBefore = 0
  #linesBefore = 0
  #headerRecords = 0

  constructor(path: string, options: PlanOptions, onChunk: (chunk: PlannedChunk) => void) {
    this.#path = path
    this.#options = options
    this.#onChunk = onChunk
    this.#scanner = new RecordScanner(options.dialect)
    this.#loneCr = new LoneCrSearch(options.dialect)
    if (!options.dialect.header) this.#useFields(sourceColumns(options.model).map(sourceName))
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether the header has been read, or there is none. */
  get hasFields(): boolean {
    return this.#header === undefined
  }

  push(piece: Buffer): void {
    this.#fileHash.update(piece)
    let at = this.#bytes === 0 ? this.#skipMark(piece) : 0
    const pieceStart = this.#bytes
    this.#bytes += piece.length
    this.#loneCr.push(piece)
    if (this.#header !== undefined) at = this.#readHeader(piece, at, pieceStart)
    while (at < piece.length) {
      const wanted = this.#chunkStart + this.#options.chunkBytes - pieceStart
      const end = this.#scanner.cut(piece, at, Math.max(wanted, at))
      this.#chunkHash.update(piece.subarray(at, end === -1 ? piece.length : end))
      if (end === -1) break
      this.#endChunk(pieceStart + end)
      at = end
    }
    // One byte more may be the CR of a line end.
    if (this.#scanner.oversizeLine !== undefined || this.#scanner.recordBytes > maxRecordBytes + 1)
      this.#refuseLargeRecord()
  }

  finish(): Omit<Plan, 'state'> {
    const { unclosedQuoteLine } = this.#scanner.finish()
    if (unclosedQuoteLine !== undefined) {
      throw new LadingError(
        'UNCLOSED_QUOTE',
        `${this.#path}:${unclosedQuoteLine}: the quote opened here is never closed`,
      )
    }
    if (this.#scanner.oversizeLine !== undefined) this.#refuseLargeRecord()
    if (this.#header !== undefined) this.#endHeader(this.#bytes)
    // Without a header a CR may be data, unless the whole file would be one record.
    if (this.#loneCr.found && this.#scanner.records === 1) this.#refuseLoneCr()
    // A source without a record still is a load: one empty chunk carries its paper.
    if (this.#scanner.records > this.#recordsBefore || this.#chunks === 0) this.#endChunk(this.#bytes)
    return {
      fields: this.#fields,
      model: this.#options.model.fingerprint,
      sha256: this.#fileHash.digest('hex'),
      bytes: this.#bytes,
      plan: this.#planHash.digest('hex'),
      chunks: this.#chunks,
      records: this.#scanner.records - this.#headerRecords,
    }
  }

  /** Length of a byte order mark of UTF-8; one of UTF-16 means a file that nothing here can read. */
  #skipMark(piece: Buffer): number {
    const utf16 = (piece[0] === 0xff && piece[1] === 0xfe) || (piece[0] === 0xfe && piece[1] === 0xff)
    // Without a mark, every other byte of what a header is made of is a NUL.
    const unmarked = piece.length > 1 && (piece[0] === 0) !== (piece[1] === 0)
    if (utf16 || unmarked) {
      const from = utf16 ? 'UTF-16' : piece[0] === 0 ? 'UTF-16BE' : 'UTF-16LE'
      throw new LadingError(
        'SOURCE_ENCODING',
        `${this.#path} looks like ${from}: iconv -f ${from} -t UTF-8 makes it readable`,
      )
    }
    const mark = piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf ? 3 : 0
    this.#chunkStart = mark
    return mark
  }

  #readHeader(piece: Buffer, at: number, pieceStart: number): number {
    const end = this.#scanner.cut(piece, at, at)
    this.#header?.push(Buffer.from(piece.subarray(at, end === -1 ? piece.length : end)))
    if (end === -1) return piece.length
    this.#endHeader(pieceStart + end)
    return end
  }

  #endHeader(bodyStart: number): void {
    if (this.#loneCr.found) this.#refuseLoneCr()
    const bytes = Buffer.concat(this.#header ?? [])
    this.#header = undefined
    this.#headerRecords = bytes.length === 0 ? 0 : 1
    this.#startChunk(bodyStart)
    this.#useFields(
      bytes.length === 0 ? sourceColumns(this.#options.model).map(sourceName) : this.#fieldsOf(bytes),
    )
  }

  #fieldsOf(bytes: Buffer): readonly string[] {
    const { model, dialect, ignoreExtra } = this.#options
    const fields = this.#atHeader(() => readHeader(bytes, dialect))
    const problems = [...fieldProblems(model, fields, ignoreExtra)]
    if (problems.length === 0) return fields
    const why = delimiterHint(bytes, dialect) ?? listed(problems, mostListed)
    const noneKnown = !sourceColumns(model).some((column) => fields.includes(sourceName(column)))
    const hint =
      noneKnown && why === listed(problems, mostListed) ? '; if line 1 is a record already: --no-header' : ''
    throw new LadingError(
      'HEADER_MISMATCH',
      `${this.#path}:1: the header does not fit ${tableName(model)}: ${why}${hint}`,
    )
  }

  /** Errors of the header know no file. */
  #atHeader<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof LadingError)) throw error
      // What is named twice in line 1 may be a value that the model masks, where that line is no header.
      const isShown = error.code !== 'HEADER_DUPLICATE' || !isMasked(this.#options.model)
      if (!isShown) throw new LadingError(error.code, `${this.#path}:1: the header names a column twice`)
      throw new LadingError(error.code, `${this.#path}:1: ${error.message}`, { cause: error })
    }
  }

  #useFields(fields: readonly string[]): void {
    this.#header = undefined
    this.#fields = fields
    const { dialect, model } = this.#options
    this.#planHash.update(JSON.stringify([dialect.delimiter, dialect.quote, fields, model.fingerprint]))
  }

  #startChunk(byteStart: number): void {
    this.#chunkStart = byteStart
    this.#chunkHash = createHash('sha256')
    this.#recordsBefore = this.#scanner.records
    this.#linesBefore = this.#scanner.lines
  }

  #endChunk(end: number): void {
    const chunk = {
      chunk: this.#chunks++,
      byteStart: this.#chunkStart,
      bytes: end - this.#chunkStart,
      firstRecord: this.#recordsBefore - this.#headerRecords + 1,
      firstLine: this.#linesBefore + 1,
      records: this.#scanner.records - this.#recordsBefore,
      sha256: this.#chunkHash.digest('hex'),
    }
    this.#planHash.update(`${chunk.byteStart}:${chunk.bytes}:${chunk.sha256};`)
    this.#onChunk(chunk)
    this.#startChunk(end)
  }

  #refuseLoneCr(): never {
    throw new LadingError(
      'SOURCE_LINE_ENDS',
      `${this.#path}: CR alone ends its lines, as it looks; lines end with LF or CR LF`,
    )
  }

  #refuseLargeRecord(): never {
    if (this.#loneCr.found && this.#scanner.records === 0) this.#refuseLoneCr()
    const limit = `${maxRecordBytes / 1024 / 1024} MiB`
    const { openQuoteLine, oversizeLine } = this.#scanner
    if (oversizeLine === undefined && openQuoteLine !== undefined)
      throw new LadingError(
        'UNCLOSED_QUOTE',
        `${this.#path}:${openQuoteLine}: the quote opened here is not closed within ${limit}`,
      )
    const line = oversizeLine ?? this.#scanner.lines + 1
    throw new LadingError(
      'RECORD_TOO_LARGE',
      `${this.#path}: a record near line ${line} is larger than ${limit}; is a quote never closed?`,
    )
  }
}

/** Said instead of the names, which make no sense then. */
function delimiterHint(header: Buffer, { delimiter }: Dialect): string | undefined {
  const guess = guessDelimiter(header)
  if (guess === undefined || guess === delimiter) return undefined
  const written = (character: string) => (character === '\t' ? "'\\t'" : `'${character}'`)
  return `its cells are separated by ${written(guess)} and not by ${written(delimiter)}, as it looks: --delimiter ${written(guess)}`
}
