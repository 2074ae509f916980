/** Reads the bytes of a file, decompressed where it is compressed. */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import { compressionOf, signatureBytes } from '../compressed/compression.ts'
import { unpacked } from '../compressed/decompress.ts'

/** Read at once, in bytes: large enough that the number of calls does not count. */
const readBytes = 1 << 20

/** Whether the plain bytes lie elsewhere than in the file itself. */
export async function isCompressed(path: string): Promise<boolean> {
  // Opening a pipe would wait for its writer.
  await fileState(path)
  try {
    await using file = await open(path)
    return await hasCompression(path, file)
  } catch (error) {
    throw readError(path, error)
  }
}

async function hasCompression(path: string, file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(signatureBytes), 0, signatureBytes, 0)
  return compressionOf(path, buffer.subarray(0, bytesRead)) !== undefined
}

/** What identifies the state of a file without reading it; another text means that the file changed. */
export async function fileState(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true }).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause)
  })
  if (!stats.isFile())
    throw new LadingError(
      'SOURCE_UNREADABLE',
      `${path} is not a regular file; a pipe goes into standard input, which is '-'`,
    )
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(':')
}

export interface ReadOptions extends Abortable {
  /** Read at once, in bytes: few where only the beginning is wanted. */
  readonly pieceBytes?: number
}

/** The plain bytes of the file, from its beginning. A piece holds until the next one is asked for. */
export async function* readSource(
  path: string,
  { signal, pieceBytes = readBytes }: ReadOptions = {},
): AsyncGenerator<Buffer> {
  try {
    for await (const piece of piecesOf(path, pieceBytes)) {
      if (signal?.aborted) throw new LadingError('ABORTED', `stopped while reading ${path}`)
      yield piece
    }
  } catch (error) {
    throw readError(path, error)
  }
}

async function* piecesOf(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const pieces = readFile(path, pieceBytes)
  try {
    const first = await pieces.next()
    const start = first.done === true ? Buffer.alloc(0) : first.value
    const compression = compressionOf(path, start)
    const all = startingWith(start, pieces)
    yield* compression === undefined ? all : unpacked(compression, all, pieceBytes)
  } finally {
    await pieces.return(undefined)
  }
}

async function* startingWith(start: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start
  yield* rest
}

/**
 * Reads into one buffer no larger than the file: with many small files, a stream's own buffers cost more than
 * everything else.
 */
async function* readFile(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  await using file = await open(path)
  const { size } = await file.stat()
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(pieceBytes, size)))
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** Errors of the decompressor know no file. */
function readError(path: string, error: unknown): LadingError {
  if (!(error instanceof LadingError)) return unreadable(path, error as NodeJS.ErrnoException)
  return error.message.startsWith(path) || error.code === 'ABORTED'
    ? error
    : new LadingError(error.code, `${path}: ${error.message}`, { cause: error })
}

export function unreadable(path: string, cause: NodeJS.ErrnoException): LadingError {
  if (cause.code === 'ENOENT') return new LadingError('SOURCE_MISSING', `there is no file ${path}`, { cause })
  const corrupt = cause.code?.startsWith('Z_') === true || cause.code?.startsWith('ZSTD') === true
  return new LadingError(corrupt ? 'SOURCE_CORRUPT' : 'SOURCE_UNREADABLE', `${path}: ${cause.message}`, {
    cause,
  })
}

export interface ByteRange {
  readonly byteStart: number
  readonly bytes: number
}

/** Memory of at least so many bytes, whatever it holds. */
type Allocate = (bytes: number) => Buffer

/**
 * The bytes of each of the ranges, which come in ascending order, in memory from `allocate` where no
 * decompressor makes its own. A range that the file no longer has comes out shorter.
 */
export async function* readRanges<R extends ByteRange>(
  path: string,
  ranges: AsyncIterable<R> | Iterable<R>,
  allocate: Allocate = (bytes) => Buffer.allocUnsafe(bytes),
): AsyncGenerator<[R, Buffer]> {
  await using file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause)
  })
  yield* (await hasCompression(path, file))
    ? readStreamedRanges(path, ranges)
    : readPlainRanges(file, ranges, allocate)
}

async function* readPlainRanges<R extends ByteRange>(
  file: FileHandle,
  ranges: AsyncIterable<R> | Iterable<R>,
  allocate: Allocate,
): AsyncGenerator<[R, Buffer]> {
  for await (const range of ranges) {
    const buffer = allocate(range.bytes)
    let size = 0
    while (size < range.bytes) {
      const { bytesRead } = await file.read(buffer, size, range.bytes - size, range.byteStart + size)
      if (bytesRead === 0) break
      size += bytesRead
    }
    yield [range, buffer.subarray(0, size)]
  }
}

async function* readStreamedRanges<R extends ByteRange>(
  path: string,
  ranges: AsyncIterable<R> | Iterable<R>,
): AsyncGenerator<[R, Buffer]> {
  const pieces = readSource(path)
  let piece = Buffer.alloc(0)
  let pieceStart = 0
  try {
    for await (const range of ranges) {
      const parts: Buffer[] = []
      let at = range.byteStart
      const end = range.byteStart + range.bytes
      while (at < end) {
        const part = piece.subarray(Math.max(at - pieceStart, 0), Math.max(end - pieceStart, 0))
        if (part.length > 0) parts.push(part)
        at = Math.max(at, Math.min(end, pieceStart + piece.length))
        if (at >= end) break
        pieceStart += piece.length
        const next = await pieces.next()
        if (next.done) break
        piece = next.value as Buffer<ArrayBuffer>
      }
      yield [range, Buffer.concat(parts)]
    }
  } finally {
    await pieces.return(undefined)
  }
}
