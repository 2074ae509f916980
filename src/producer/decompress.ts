/**
 * Decompresses a file of any number of members (files joined with cat, pzstd, bgzip). Node's decompressors end before what they do
 * not take for another member, a zstd one before any second frame and a gzip one before a zero byte, and drop the rest of the file
 * without a word. Here the rest is fed to another decompressor, so that nothing is left unread.
 */
import * as zlib from 'node:zlib'

export type Compression = 'gzip' | 'zstd'

type Decompressor = zlib.Gunzip | zlib.ZstdDecompress

/** The next piece of the file; undefined at its end. */
type Next = () => Promise<Buffer | undefined>

export async function* unpacked(compression: Compression, file: AsyncIterable<Buffer>, chunkSize: number): AsyncGenerator<Buffer> {
  const pieces = file[Symbol.asyncIterator]()
  const next: Next = async () => {
    const { done, value } = await pieces.next()
    return done === true ? undefined : value
  }
  try {
    let rest = await next()
    do {
      const decompressor = compression === 'gzip' ? zlib.createGunzip({ chunkSize }) : zlib.createZstdDecompress({ chunkSize })
      const feeding = feed(decompressor, rest, next)
      // Its error comes out of the decompressor as well; without this it would count as unhandled.
      feeding.catch(() => undefined)
      for await (const piece of decompressor) yield piece as Buffer
      rest = await feeding
      // What follows zeros is refused by the next decompressor, because the zeros are no header.
      if (compression === 'gzip' && rest !== undefined && (await isPadding(rest, next))) return
    } while (rest !== undefined)
  } finally {
    await pieces.return?.()
  }
}

/** Returns what is left of the file's pieces when the decompressor has ended. */
async function feed(decompressor: Decompressor, first: Buffer | undefined, next: Next): Promise<Buffer | undefined> {
  try {
    for (let piece = first; piece !== undefined; piece = await next()) {
      const before = decompressor.bytesWritten
      await write(decompressor, piece)
      const taken = decompressor.bytesWritten - before
      if (taken < piece.length) return piece.subarray(taken)
    }
    decompressor.end()
    return undefined
  } catch (error) {
    decompressor.destroy(error as Error)
    throw error
  }
}

function write(decompressor: Decompressor, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    decompressor.write(piece, (error) => (error ? reject(error) : resolve()))
  })
}

/** Whether the file goes on to its end with zeros, as tapes and block devices fill it up. */
async function isPadding(rest: Buffer, next: Next): Promise<boolean> {
  for (let piece: Buffer | undefined = rest; piece !== undefined; piece = await next()) {
    if (piece.some((byte) => byte !== 0)) return false
  }
  return true
}
