/**
 * The plain bytes of a source that may be compressed, as its first bytes show. A range of compressed bytes
 * cannot be read without all that precedes it, so such a source has no ranges and travels as bytes.
 */
import { LadingError } from '../../core/errors.ts'
import { SourceAround } from '../around.ts'
import type { RangeReader, ReadOptions, Source, Whole } from '../source.ts'
import { compressionOf } from './compression.ts'
import { unpacked } from './decompress.ts'
import { refuseForeign, signatureBytes } from './foreign.ts'

/** Size of a decompressed piece, in bytes. */
const plainBytes = 1 << 20

class Decompressed extends SourceAround {
  override whole(): Whole | undefined {
    const whole = super.whole()
    if (whole === undefined) return undefined
    try {
      return compressionOf(this.path, whole.bytes) === undefined ? whole : undefined
    } catch (error) {
      throw readError(this.path, error)
    }
  }

  override bytes(options?: ReadOptions): AsyncGenerator<Buffer> {
    return plainBytesOf(this.source, options)
  }

  override async ranges(): Promise<RangeReader | undefined> {
    return (await isCompressed(this.source)) ? undefined : super.ranges()
  }

  override async reference(root?: string): Promise<string | undefined> {
    return (await isCompressed(this.source)) ? undefined : super.reference(root)
  }
}

export const decompressed = (source: Source): Source => new Decompressed(source)

async function isCompressed(source: Source): Promise<boolean> {
  // Opening a pipe would wait for its writer.
  await source.state()
  await using reader = await source.ranges()
  // Without ranges nothing turns on it, and its beginning would cost the whole file.
  if (reader === undefined) return false
  const start = Buffer.alloc(signatureBytes)
  const bytes = await reader.read(start, 0)
  return compressionOf(source.path, start.subarray(0, bytes)) !== undefined
}

async function* plainBytesOf(source: Source, options?: ReadOptions): AsyncGenerator<Buffer> {
  const pieces = source.bytes(options)
  try {
    const first = await pieces.next()
    const start = first.done === true ? Buffer.alloc(0) : first.value
    const compression = compressionOf(source.path, start)
    const all = startingWith(start, pieces)
    if (compression === undefined) yield* all
    else yield* checked(source.path, unpacked(compression, all, options?.pieceBytes ?? plainBytes))
  } catch (error) {
    throw readError(source.path, error)
  } finally {
    await pieces.return(undefined)
  }
}

/** What was unpacked may again be of a kind that is not read. */
async function* checked(path: string, pieces: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true
  for await (const piece of pieces) {
    if (isFirst) refuseForeign(path, piece)
    isFirst = false
    yield piece
  }
}

async function* startingWith(start: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start
  yield* rest
}

/** Errors of the decompressor know no file. */
function readError(path: string, cause: unknown): LadingError {
  const { code, message } = cause as NodeJS.ErrnoException
  if (!(cause instanceof LadingError)) {
    const isCorrupt = code?.startsWith('Z_') === true || code?.startsWith('ZSTD') === true
    return new LadingError(isCorrupt ? 'SOURCE_CORRUPT' : 'SOURCE_UNREADABLE', `${path}: ${message}`, {
      cause,
    })
  }
  // What the source itself throws names its path already.
  return message.includes(path) ? cause : new LadingError(cause.code, `${path}: ${message}`, { cause })
}
