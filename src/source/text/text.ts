/**
 * The text of a source in UTF-8, with LF or CR LF, and without its footer. What a byte order mark shows needs
 * no option. A source of which a byte is not what is read has no ranges, and travels as bytes.
 */
import type { Encoding } from '../../core/encoding.ts'
import { LadingError } from '../../core/errors.ts'
import { SourceAround } from '../around.ts'
import type { RangeReader, ReadOptions, Source, Whole } from '../source.ts'
import { type Conversion, conversionOf, encodingName, markIn, markLength } from './encoding.ts'
import { withoutFooter } from './footer.ts'

export interface TextOptions {
  /** What the source is written in, unless a byte order mark says otherwise; UTF-8 by default. */
  readonly encoding?: Encoding | undefined
  /** Makes what turns other line ends into LF. */
  readonly lineEnds?: (() => Conversion) | undefined
  /** Lines at the end that are left out. */
  readonly footerLines?: number | undefined
  /** Tells this reading of the source from others. */
  readonly key?: string | undefined
}

/** Throws `USAGE` for an encoding that is not known. */
export const textSource = (source: Source, options: TextOptions = {}): Source => new Text(source, options)

class Text extends SourceAround {
  readonly #options: TextOptions
  /** Whether the source is written in another way than is usual, so that it is no state of its bytes alone. */
  readonly #isStated: boolean

  constructor(source: Source, options: TextOptions) {
    super(source)
    const { encoding = 'utf-8', lineEnds, footerLines = 0 } = options
    this.#options = options
    this.#isStated = encodingName(encoding) !== 'utf-8' || lineEnds !== undefined || footerLines > 0
  }

  override async state(): Promise<string> {
    const state = await super.state()
    return this.#isStated ? `${state}:${this.#options.key}` : state
  }

  override whole(): Whole | undefined {
    const whole = this.#isStated ? undefined : super.whole()
    return whole === undefined || isConverted(whole.bytes) ? undefined : whole
  }

  override bytes(reading?: ReadOptions): AsyncGenerator<Buffer> {
    return textOf(this.source, this.#options, reading)
  }

  override async ranges(): Promise<RangeReader | undefined> {
    const ranges = this.#isStated ? undefined : await super.ranges()
    if (ranges === undefined) return undefined
    const start = Buffer.alloc(markLength)
    if (!isConverted(start.subarray(0, await ranges.read(start, 0)))) return ranges
    await ranges[Symbol.asyncDispose]()
    return undefined
  }

  override async reference(root?: string): Promise<string | undefined> {
    const path = this.#isStated ? undefined : await super.reference(root)
    if (path === undefined) return undefined
    await using ranges = await super.ranges()
    const start = Buffer.alloc(markLength)
    return isConverted(start.subarray(0, (await ranges?.read(start, 0)) ?? 0)) ? undefined : path
  }
}

const isConverted = (start: Buffer): boolean => (markIn(start)?.encoding ?? 'utf-8') !== 'utf-8'

async function* textOf(source: Source, options: TextOptions, reading?: ReadOptions): AsyncGenerator<Buffer> {
  const { encoding, lineEnds, footerLines = 0 } = options
  try {
    let text: AsyncIterable<Buffer> = decoded(source.bytes(reading), encoding)
    if (lineEnds !== undefined) text = converted(text, lineEnds())
    yield* footerLines > 0 ? withoutFooter(text, footerLines) : text
  } catch (error) {
    if (!(error instanceof LadingError) || error.message.includes(source.path)) throw error
    throw new LadingError(error.code, `${source.path}: ${error.message}`, { cause: error })
  }
}

async function* decoded(pieces: AsyncGenerator<Buffer>, stated: Encoding = 'utf-8'): AsyncGenerator<Buffer> {
  let start: Buffer = Buffer.alloc(0)
  try {
    // The first pieces of a compressed source may have a byte each.
    while (start.length < markLength) {
      const next = await pieces.next()
      if (next.done === true) break
      start =
        start.length === 0 && next.value.length >= markLength
          ? next.value
          : Buffer.concat([start, next.value])
    }
    const { encoding = stated, bytes = 0 } = markIn(start) ?? {}
    if (encoding === 'utf-32le')
      throw new LadingError(
        'SOURCE_ENCODING',
        'it looks like UTF-32: iconv -f UTF-32 -t UTF-8 makes it readable',
      )
    const conversion = conversionOf(encoding)
    if (conversion === undefined) {
      if (start.length > 0) yield start
      yield* pieces
    } else yield* converted(startingWith(start.subarray(bytes), pieces), conversion)
  } finally {
    await pieces.return(undefined)
  }
}

async function* startingWith(start: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield start
  yield* rest
}

async function* converted(pieces: AsyncIterable<Buffer>, conversion: Conversion): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    const text = conversion.push(piece)
    if (text.length > 0) yield text
  }
  const rest = conversion.end()
  if (rest.length > 0) yield rest
}
