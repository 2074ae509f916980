/**
 * Decompresses a .zst file of any number of frames (files joined with cat, pzstd). Node's decompressor ends with the first frame and
 * drops what follows it without a word, so that each frame gets a decompressor of its own.
 */
import * as zlib from 'node:zlib'

export async function* zstdFrames(file: AsyncIterable<Buffer>, chunkSize: number): AsyncGenerator<Buffer> {
  const pieces = file[Symbol.asyncIterator]()
  const next = async () => {
    const { done, value } = await pieces.next()
    return done === true ? undefined : value
  }
  try {
    let rest = await next()
    do {
      const frame = zlib.createZstdDecompress({ chunkSize })
      const feeding = feed(frame, rest, next)
      // Its error comes out of the frame as well; without this it would count as unhandled.
      feeding.catch(() => undefined)
      for await (const piece of frame) yield piece as Buffer
      rest = await feeding
    } while (rest !== undefined)
  } finally {
    await pieces.return?.()
  }
}

/** Returns what is left of the file's pieces when the frame has ended. */
async function feed(
  frame: zlib.ZstdDecompress,
  first: Buffer | undefined,
  next: () => Promise<Buffer | undefined>,
): Promise<Buffer | undefined> {
  try {
    for (let piece = first; piece !== undefined; piece = await next()) {
      const before = frame.bytesWritten
      await write(frame, piece)
      const taken = frame.bytesWritten - before
      if (taken < piece.length) return piece.subarray(taken)
    }
    frame.end()
    return undefined
  } catch (error) {
    frame.destroy(error as Error)
    throw error
  }
}

function write(frame: zlib.ZstdDecompress, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    frame.write(piece, (error) => (error ? reject(error) : resolve()))
  })
}
