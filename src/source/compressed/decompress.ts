/**
 * Decompresses a file of any number of members (files joined with cat, pzstd, bgzip) to its end. Node's
 * decompressors end before bytes that are no further member and silently drop the rest; here that is an
 * error.
 */
import * as zlib from 'node:zlib'
import { LadingError } from '../../core/errors.ts'
import type { Compression } from './compression.ts'
import { ZstdFrames } from './zstd-frames.ts'

type Decompressor = zlib.Gunzip | zlib.ZstdDecompress

/** The next piece of the file; undefined at its end. */
type Next = () => Promise<Buffer | undefined>

/** A piece of `file` must hold until the next one is asked for. */
export async function* unpacked(
  compression: Compression,
  file: AsyncIterable<Buffer>,
  chunkSize: number,
): AsyncGenerator<Buffer> {
  const pieces = file[Symbol.asyncIterator]()
  const next: Next = async () => {
    const { done, value } = await pieces.next()
    return done === true ? undefined : value
  }
  const decompressor =
    compression === 'gzip' ? zlib.createGunzip({ chunkSize }) : zlib.createZstdDecompress({ chunkSize })
  try {
    const feeding = (compression === 'gzip' ? feedMembers : feedFrames)(decompressor, next)
    // Its error comes out of the decompressor as well; without this it would count as unhandled.
    feeding.catch((error: unknown) => decompressor.destroy(error as Error))
    for await (const piece of decompressor) yield piece as Buffer
    await feeding
  } catch (error) {
    throw explained(error)
  } finally {
    await pieces.return?.()
  }
}

/** Node goes on from member to member by itself, and ends before a zero. */
async function feedMembers(decompressor: Decompressor, next: Next): Promise<void> {
  for (let piece = await next(); piece !== undefined; piece = await next()) {
    const before = decompressor.bytesWritten
    await write(decompressor, piece)
    const taken = decompressor.bytesWritten - before
    if (taken < piece.length) return requirePadding(piece.subarray(taken), next)
  }
  decompressor.end()
}

/**
 * Zeros to the end of the file are padding, as tapes and block devices leave it. Anything behind them says
 * that something is missing.
 */
async function requirePadding(rest: Buffer, next: Next): Promise<void> {
  for (let piece: Buffer | undefined = rest; piece !== undefined; piece = await next()) {
    if (piece.some((byte) => byte !== 0))
      throw corrupt(
        `zeros follow a gzip member, and more behind them: a part of the file is missing; ${whatIsBefore}`,
      )
  }
}

/**
 * One decompressor for all frames costs a fiftieth of one for each. It accepts the next frame only if a write
 * ended with the previous one.
 */
async function feedFrames(decompressor: Decompressor, next: Next): Promise<void> {
  const frames = new ZstdFrames()
  for (let piece = await next(); piece !== undefined; piece = await next()) {
    for (let at = 0; at < piece.length;) {
      const end = frames.end(piece, at)
      if (end === undefined) throw corrupt('what follows the last zstd frame is not another one')
      const before = decompressor.bytesWritten
      await write(decompressor, piece.subarray(at, end))
      // v8 ignore next -- the decompressor goes by the same lengths; if it did not, nothing may be lost
      if (decompressor.bytesWritten - before < end - at)
        throw corrupt('a zstd frame ends before its last block')
      at = end
    }
  }
  if (!frames.isBetween) throw corrupt('unexpected end of file')
  decompressor.end()
}

function write(decompressor: Decompressor, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    // One that fails at the piece does not call back.
    decompressor.once('close', reject)
    decompressor.write(piece, (error) => {
      decompressor.removeListener('close', reject)
      if (error) reject(error)
      else resolve()
    })
  })
}

/** gzip warns and leaves the rest out; here a person has to decide. */
const whatIsBefore = 'gzip -dc FILE | lading load - loads what is before it, and nothing else'

const corrupt = (why: string): LadingError => new LadingError('SOURCE_CORRUPT', why)

/** Adds what to do to the errors that need it. */
function explained(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
    const why =
      'it is compressed with a window of more than 128 MiB (zstd --long): zstd -dc --long=31 FILE | lading load -'
    return new LadingError('SOURCE_COMPRESSED', why, { cause: error })
  }
  // The first member was known by its header, so this is a later one.
  if (code === 'Z_DATA_ERROR' && message === 'incorrect header check') {
    const why =
      'what follows a gzip member is not another one: the file is damaged there, or something was appended'
    return new LadingError('SOURCE_CORRUPT', `${why}; ${whatIsBefore}`, { cause: error })
  }
  return error
}
