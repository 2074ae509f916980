/**
 * Pass 1 over a source: splits it into chunks of whole records, counts and hashes them, and finds every
 * structural fault before anything is published. Memory does not grow with the source: chunks are handed on
 * as they are found.
 */
import { createHash, type Hash } from 'node:crypto'
import { LadingError } from '../core/errors.ts'
import type { Layout, LeftOut } from '../core/load.ts'
import type { Abortable } from '../core/wait.ts'
import type { Splitter } from '../format/split.ts'
import type { Reading } from '../format/reading.ts'
import { type FormatOptions, splitterFor } from '../format/registry.ts'
import { isMasked, type Model, sourceColumns, sourceNames, tableName } from '../model/model.ts'
import { fieldProblems } from '../model/fields.ts'
import type { StatedChoices } from '../model/of-table.ts'
import { headPieceBytes, piecesOf } from '../source/pieces.ts'
import type { Source } from '../source/source.ts'
import { layoutKey, layoutOf } from './layout.ts'
import type { ReadSource } from './reading.ts'

export interface PlannedChunk {
  readonly chunk: number
  readonly byteStart: number
  readonly bytes: number
  readonly firstRecord: number
  readonly firstLine: number
  readonly records: number
  readonly sha256: string
}

export interface HeadOptions extends Abortable, FormatOptions {
  readonly model: Model
  /** What the model is derived from beside the table and the fields; absent where it was written. */
  readonly ofTable?: StatedChoices | undefined
  readonly ignoreExtra?: boolean | undefined
  /**
   * Give a name to columns of CSV without one, and a suffix to a name that stands twice, instead of refusing
   * the header: for models that were not written by hand.
   */
  readonly namesColumns?: boolean | undefined
}

export interface PlanOptions extends HeadOptions {
  /** A chunk ends with the first record that ends at or beyond this many bytes. */
  readonly chunkBytes: number
  /** A chunk ends with this record, so that those up to it can be published without the rest. */
  readonly limit?: number | undefined
  /** Of a source that was loaded in part: plans what is behind that. */
  readonly behind?: Behind | undefined
  /** Hears how many plain bytes were read so far: at the beginning, and after each 16 MiB or so. */
  readonly onRead?: ((bytes: number) => void) | undefined
}

/** The part of a source that was loaded before. */
export interface Behind {
  /** Its size, in plain bytes. */
  readonly bytes: number
  /** Where the first record behind it begins: a line end may be missing in it. */
  readonly start: number
}

const reportEveryBytes = 16 * 1024 * 1024

export interface Plan {
  readonly layout: Layout
  readonly reading: Reading
  /** Fingerprint of the model. */
  readonly model: string
  /** sha256 of the plain bytes, and their number. */
  readonly sha256: string
  readonly bytes: number
  /** Identifies layout, model and every chunk. */
  readonly plan: string
  readonly chunks: number
  /** Where the first of them begins. */
  readonly start: number
  readonly records: number
  /** Of the source, see `Source.state`. */
  readonly state: string
  readonly leftOut: LeftOut
  /** What a person should know of the source. */
  readonly warnings: readonly string[]
  /** sha256 of the bytes that the plan is behind; undefined if there are not so many. */
  readonly before?: string | undefined
  /** The plain bytes of a small source, which need not be read again. */
  readonly kept?: Buffer
}

/** Most bytes that are kept of a source. */
const mostKept = 64 * 1024

/** Without a reading of its own, a source is written as the options say. */
export type PlannedSource = Source & Partial<Pick<ReadSource, 'reading'>>

/** Plans the source and calls `onChunk` for each chunk, in order. */
export async function planSource(
  source: PlannedSource,
  options: PlanOptions,
  onChunk: (chunk: PlannedChunk) => void,
): Promise<Plan> {
  requireNoStop(source, options)
  const whole = source.whole?.()
  const planner = new Planner(splitterOf(source, options), source, options, onChunk)
  options.onRead?.(0)
  if (whole === undefined) return await planPieces(source, options, planner)
  if (whole.bytes.length > 0) planner.push(whole.bytes)
  return { ...planner.finish(), state: whole.state, kept: whole.bytes }
}

async function planPieces(source: PlannedSource, options: PlanOptions, planner: Planner): Promise<Plan> {
  const state = await source.state()
  const kept: Buffer[] = []
  let reported = 0
  for await (const piece of piecesOf(source, options)) {
    planner.push(piece)
    // A copy, because a piece holds until the next one is asked for.
    if (planner.bytes <= mostKept) kept.push(Buffer.from(piece))
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
  return { ...plan, state, ...(plan.bytes <= mostKept && { kept: Buffer.concat(kept) }) }
}

function requireNoStop({ path }: PlannedSource, { signal }: Abortable): void {
  if (signal?.aborted) throw new LadingError('ABORTED', `stopped while reading ${path}`)
}

/** Reads the source as far as its first record, and throws what `planSource` would throw for that. */
export async function checkHead(source: PlannedSource, options: HeadOptions): Promise<Layout> {
  requireNoStop(source, options)
  const whole = source.whole?.()
  if (whole === undefined) await source.state()
  const splitter = splitterOf(source, options)
  if (splitter.isPastHead) return splitter.layout
  if (whole !== undefined && whole.bytes.length > 0) splitter.begin(whole.bytes)
  if (whole === undefined)
    for await (const piece of piecesOf(source, { ...options, pieceBytes: headPieceBytes })) {
      splitter.begin(piece)
      if (splitter.isPastHead) return splitter.layout
    }
  if (!splitter.isPastHead) splitter.finish()
  return splitter.layout
}

export function splitterOf(source: PlannedSource, options: HeadOptions): Splitter {
  const { model, ofTable, ignoreExtra, namesColumns = ofTable !== undefined } = options
  return splitterFor(source.reading ?? options, source.path, {
    table: tableName(model),
    names: sourceColumns(model).flatMap(sourceNames),
    isMasked: isMasked(model),
    namesColumns,
    problems: (fields) => [...fieldProblems(model, fields, ignoreExtra, source.reading?.skipWhen)],
  })
}

class Planner {
  bytes = 0
  readonly #splitter: Splitter
  readonly #reading: Reading
  readonly #options: PlanOptions
  readonly #onChunk: (chunk: PlannedChunk) => void
  readonly #sourceHash = createHash('sha256')
  readonly #planHash = createHash('sha256')
  /** Made with the chunk's first bytes. */
  #chunkHash: Hash | undefined
  #isPastHead = false
  #start = 0
  #chunkStart = 0
  #pieceLength = 0
  #chunks = 0
  /** Counts of the splitter when the chunk began. */
  #recordsBefore = 0
  #linesBefore = 0
  readonly #behind: Behind
  #before: string | undefined
  /** Of the splitter when the first chunk began. */
  #recordsBehind = 0

  constructor(
    splitter: Splitter,
    { reading = {} }: PlannedSource,
    options: PlanOptions,
    onChunk: (chunk: PlannedChunk) => void,
  ) {
    this.#splitter = splitter
    this.#reading = reading
    this.#options = options
    this.#onChunk = onChunk
    this.#behind = options.behind ?? { bytes: 0, start: 0 }
  }

  push(piece: Buffer): void {
    let rest = piece
    for (const end of [this.#behind.bytes, this.#behind.start]) {
      const bytes = end - this.bytes
      if (bytes <= 0 || bytes > rest.length) continue
      this.#take(rest.subarray(0, bytes))
      rest = rest.subarray(bytes)
      if (end === this.#behind.bytes) this.#before = this.#sourceHash.copy().digest('hex')
    }
    if (rest.length > 0) this.#take(rest)
  }

  #take(piece: Buffer): void {
    this.#sourceHash.update(piece)
    this.#pieceLength = piece.length
    const pieceStart = this.bytes
    this.bytes += piece.length
    const splitter = this.#splitter
    let at = splitter.begin(piece)
    if (!this.#isPastHead) {
      if (!splitter.isPastHead) return
      this.#isPastHead = true
      this.#startChunk(pieceStart + at)
    }
    if (pieceStart < this.#behind.start) {
      splitter.cut(at, Number.POSITIVE_INFINITY)
      this.#startChunk(this.bytes)
      this.#recordsBehind = splitter.records
      return
    }
    while (at < piece.length) {
      const wanted = this.#chunkStart + this.#options.chunkBytes - pieceStart
      const isLimited = splitter.records < (this.#options.limit ?? 0)
      const end = isLimited ? this.#cutLimited(at, wanted) : splitter.cut(at, Math.max(wanted, at))
      this.#chunkHash ??= createHash('sha256')
      this.#chunkHash.update(piece.subarray(at, end === -1 ? piece.length : end))
      if (end === -1) break
      this.#endChunk(pieceStart + end)
      at = end
    }
  }

  /** As the splitter cuts, but record by record: none beyond the limit is passed. */
  #cutLimited(from: number, wanted: number): number {
    const splitter = this.#splitter
    const { limit = 0 } = this.#options
    for (let end = from; ;) {
      end = splitter.cut(end, end)
      if (end === -1 || end >= wanted || splitter.records >= limit) return end
      // What follows in the next piece is of the same chunk.
      if (end === this.#pieceLength) return -1
    }
  }

  finish(): Omit<Plan, 'state'> {
    this.#splitter.finish()
    if (!this.#isPastHead) this.#startChunk(this.bytes)
    // A source without a record still is a load: one empty chunk carries its paper.
    if (this.#splitter.records > this.#recordsBefore || this.#chunks === 0) this.#endChunk(this.bytes)
    return {
      layout: this.#layout,
      reading: this.#reading,
      model: this.#options.model.fingerprint,
      sha256: this.#sourceHash.digest('hex'),
      bytes: this.bytes,
      plan: this.#planHash.digest('hex'),
      chunks: this.#chunks,
      start: this.#start,
      records: this.#splitter.records - this.#recordsBehind,
      before: this.#before,
      leftOut: {
        preamble: this.#splitter.leftOut?.preamble ?? 0,
        comments: this.#splitter.leftOut?.comments ?? 0,
        footer: this.bytes === 0 ? 0 : (this.#reading.footerLines ?? 0),
      },
      warnings: this.#splitter.warnings ?? [],
    }
  }

  get #layout(): Layout {
    const { ofTable } = this.#options
    return { ...layoutOf(this.#splitter, this.#reading), ...(ofTable && { ofTable }) }
  }

  #startChunk(byteStart: number): void {
    this.#chunkStart = byteStart
    this.#chunkHash = undefined
    this.#recordsBefore = this.#splitter.records
    this.#linesBefore = this.#splitter.lines
  }

  #endChunk(end: number): void {
    if (this.#chunks === 0) this.#start = this.#chunkStart
    if (this.#chunks === 0) this.#planHash.update(layoutKey(this.#layout, this.#options.model))
    const { records } = this.#splitter
    const chunk = {
      chunk: this.#chunks++,
      byteStart: this.#chunkStart,
      bytes: end - this.#chunkStart,
      firstRecord: this.#recordsBefore + 1,
      firstLine: this.#linesBefore + 1,
      records: records - this.#recordsBefore,
      sha256: (this.#chunkHash ?? createHash('sha256')).digest('hex'),
    }
    this.#planHash.update(`${chunk.byteStart}:${chunk.bytes}:${chunk.sha256};`)
    this.#onChunk(chunk)
    this.#startChunk(end)
  }
}
