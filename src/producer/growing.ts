/** Files that grow while they are read: how much of what they hold is read. */
import { cr, lf, linesIn } from '../core/bytes.ts'
import { LadingError } from '../core/errors.ts'
import type { Reading } from '../format/reading.ts'
import { splitterFor } from '../format/registry.ts'
import { anyFields, type Splitter } from '../format/split.ts'
import { SourceAround } from '../source/around.ts'
import { piecesOf } from '../source/pieces.ts'
import type { ReadOptions, Source, Stamp, Whole } from '../source/source.ts'

/** What has no end yet: the last record of a file, or its head. */
export interface Waiting {
  readonly bytes: number
  /** 1-based physical line on which it begins. */
  readonly line: number
}

/**
 * What is added to such a file changes nothing of what is read. That a chunk is what was planned is proved by
 * its sha256 alone.
 */
abstract class Growing extends SourceAround {
  override async state(): Promise<string> {
    await super.state()
    return 'growing'
  }

  override stamp(): Stamp | undefined {
    return undefined
  }

  override whole(): Whole | undefined {
    const whole = super.whole()
    return whole && { bytes: this.part(whole.bytes), state: 'growing' }
  }

  /** What counts of the bytes of a small file. */
  protected abstract part(bytes: Buffer): Buffer
}

/** The records that have an end, and the head. */
export class WholeRecords extends Growing {
  /** What was left when it was read last. */
  waiting: Waiting | undefined
  readonly #reading: Reading

  constructor(source: Source, reading: Reading) {
    super(source)
    this.#reading = reading
  }

  protected override part(bytes: Buffer): Buffer {
    const ends = new Ends(this.path, this.#reading)
    const whole = bytes.subarray(0, bytes.length === 0 ? 0 : ends.in(bytes))
    this.#leave(bytes.subarray(whole.length), ends)
    return whole
  }

  override async *bytes(options?: ReadOptions): AsyncGenerator<Buffer> {
    const ends = new Ends(this.path, this.#reading)
    const held: Buffer[] = []
    for await (const piece of piecesOf(this.source, { ...options })) {
      const end = ends.in(piece)
      if (end > 0) {
        yield* held.splice(0)
        yield piece.subarray(0, end)
      }
      if (end < piece.length) held.push(Buffer.from(piece.subarray(end)))
    }
    this.#leave(Buffer.concat(held), ends)
  }

  #leave(rest: Buffer, { lines }: Ends): void {
    this.waiting = rest.length === 0 ? undefined : { bytes: rest.length, line: lines - linesIn(rest) + 1 }
  }
}

/** Enough to tell how a file is written. */
const headBytes = 256 * 1024
/** If a quote is open for longer, it is none that has a second one, mostly. */
const longestCell = 32 * 1024

/** Where the last record ends in each piece of a file. */
class Ends {
  readonly #splitter: Splitter

  constructor(path: string, reading: Reading) {
    this.#splitter = splitterFor(reading, path, anyFields)
    if (this.#splitter.openBytes === undefined)
      throw new LadingError(
        'USAGE',
        `${path}: a record can be added to CSV, TSV and NDJSON, whose records end with their lines (--format), and not to this`,
      )
  }

  get lines(): number {
    return this.#splitter.lines
  }

  /** Index after the last record that ends in the piece, or the head; 0 where none does. */
  in(piece: Buffer): number {
    const splitter = this.#splitter
    const at = splitter.begin(piece)
    if (!splitter.isPastHead) return 0
    splitter.cut(at, Number.POSITIVE_INFINITY)
    // A comment is no record, and may be open as well.
    return Math.max(0, Math.min(piece.length - (splitter.openBytes ?? 0), piece.lastIndexOf(lf) + 1))
  }
}

/** The first bytes alone. */
export class FirstBytes extends Growing {
  readonly #until: number

  constructor(source: Source, until: number) {
    super(source)
    this.#until = until
  }

  protected override part(bytes: Buffer): Buffer {
    return bytes.subarray(0, this.#until)
  }

  override async *bytes(options?: ReadOptions): AsyncGenerator<Buffer> {
    let left = this.#until
    for await (const piece of this.source.bytes(options)) {
      if (left > 0) yield piece.subarray(0, left)
      left -= piece.length
      if (left <= 0) return
    }
  }
}

/** The beginning of a file that grows, before it is known how it is written: lines that have an end. */
export class WholeLines extends Growing {
  protected override part(bytes: Buffer): Buffer {
    return bytes.subarray(0, endOfLines(bytes))
  }

  override async *bytes(options?: ReadOptions): AsyncGenerator<Buffer> {
    const held: Buffer[] = []
    let size = 0
    for await (const piece of this.source.bytes(options)) {
      held.push(Buffer.from(piece))
      if ((size += piece.length) >= headBytes) break
    }
    yield this.part(Buffer.concat(held))
  }

  override async ranges(): Promise<undefined> {
    return undefined
  }
}

const doubleQuote = 0x22

/** Where the last line ends that does not lie in quotes, if there is a pair of each; or else the last line. */
function endOfLines(bytes: Buffer): number {
  const last = Math.max(bytes.lastIndexOf(lf), bytes.lastIndexOf(cr)) + 1
  let isPaired = true
  let end = 0
  for (let at = 0; at < last; at++) {
    const byte = bytes[at]
    if (byte === doubleQuote) isPaired = !isPaired
    else if (isPaired && (byte === lf || byte === cr)) end = at + 1
  }
  return last - end > longestCell ? last : end
}
