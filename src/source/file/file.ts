/** A file of the local file system, read as it is. */
import { open, realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LadingError } from '../../core/errors.ts'
import { isPathDown, pathBelow } from '../root.ts'
import type { RangeReader, Source } from '../source.ts'

/** Read at once, in bytes: large enough that the number of calls does not count. */
const readBytes = 1 << 20

export const fileSource = (path: string, name: string): Source => ({
  name,
  path,
  location: resolve(path),
  isTransient: false,
  size: async () => (await stat(path).catch(() => undefined))?.size ?? 0,
  state: () => fileState(path),
  bytes: ({ pieceBytes = readBytes } = {}) => readFile(path, pieceBytes),
  ranges: () => openRanges(path),
  reference: (root) => referenceBelow(root, path),
})

async function fileState(path: string): Promise<string> {
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

/**
 * Reads into one buffer no larger than the file: with many small files, a stream's own buffers cost more than
 * everything else.
 */
async function* readFile(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(pieceBytes, size)))
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException)
  }
}

async function openRanges(path: string): Promise<RangeReader> {
  const failed = (cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause)
  }
  const file = await open(path).catch(failed)
  return {
    read: async (into, at) => (await file.read(into, 0, into.length, at).catch(failed)).bytesRead,
    [Symbol.asyncDispose]: () => file.close(),
  }
}

async function referenceBelow(root: string, path: string): Promise<string | undefined> {
  const real = await realpath(path).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause)
  })
  const way = pathBelow(root, real)
  if (way === undefined)
    throw new LadingError(
      'USAGE',
      `${path} lies outside ${root}, where messages cannot refer to it: name a folder above it with --root`,
    )
  // Another system would read any other name differently.
  return isPathDown(way) ? way : undefined
}

function unreadable(path: string, cause: NodeJS.ErrnoException): LadingError {
  if (cause.code === 'ENOENT') return new LadingError('SOURCE_MISSING', `there is no file ${path}`, { cause })
  return new LadingError('SOURCE_UNREADABLE', `${path}: ${cause.message}`, { cause })
}
