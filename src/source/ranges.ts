/** Ranges of any source: read in place where it allows that, cut out of the stream of its bytes otherwise. */
import type { ByteRange, RangeReader, Source } from './source.ts'

type Ranges<R> = AsyncIterable<R> | Iterable<R>

/** Returns a buffer of at least `bytes` bytes, with undefined contents. */
type Allocate = (bytes: number) => Buffer

/**
 * The bytes of each of the ranges, which come in ascending order, in memory from `allocate`. A range that the
 * source no longer has comes out shorter.
 */
export async function* readRanges<R extends ByteRange>(
  source: Source,
  ranges: Ranges<R>,
  allocate: Allocate = (bytes) => Buffer.allocUnsafe(bytes),
): AsyncGenerator<[R, Buffer]> {
  await using reader = await source.ranges()
  yield* reader === undefined ? fromStream(source, ranges, allocate) : inPlace(reader, ranges, allocate)
}

async function* inPlace<R extends ByteRange>(
  reader: RangeReader,
  ranges: Ranges<R>,
  allocate: Allocate,
): AsyncGenerator<[R, Buffer]> {
  for await (const range of ranges) {
    const buffer = allocate(range.bytes)
    let size = 0
    while (size < range.bytes) {
      const bytesRead = await reader.read(buffer.subarray(size, range.bytes), range.byteStart + size)
      if (bytesRead === 0) break
      size += bytesRead
    }
    yield [range, buffer.subarray(0, size)]
  }
}

async function* fromStream<R extends ByteRange>(
  source: Source,
  ranges: Ranges<R>,
  allocate: Allocate,
): AsyncGenerator<[R, Buffer]> {
  const pieces = source.bytes()
  let piece = Buffer.alloc(0)
  let pieceStart = 0
  try {
    for await (const range of ranges) {
      const buffer = allocate(range.bytes)
      let size = 0
      while (size < range.bytes) {
        const from = range.byteStart + size - pieceStart
        // A piece holds only until the next one is asked for.
        if (from < piece.length) size += piece.copy(buffer, size, from, from + range.bytes - size)
        if (size === range.bytes) break
        const next = await pieces.next()
        if (next.done) break
        pieceStart += piece.length
        piece = next.value as Buffer<ArrayBuffer>
      }
      yield [range, buffer.subarray(0, size)]
    }
  } finally {
    await pieces.return(undefined)
  }
}
