/** A file of the local file system, read as it is. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LadingError } from '../../core/errors.ts'
import { isPathDown, pathBelow } from '../root.ts'
import type { RangeReader, ReadOptions, Source, Stamp, Whole } from '../source.ts'

/** Read at once, in bytes: large enough that the number of calls does not count. */
const readBytes = 1 << 20
/**
 * Files of up to so many bytes are opened, read and closed without a promise: one such file takes some dozen
 * microseconds, and a promise for each of these calls ten times as long. What a file says of itself is asked
 * in the same way.
 */
const smallBytes = 64 * 1024

export class FileSource implements Source {
  readonly path: string
  readonly name: string

  constructor(path: string, name: string) {
    this.path = path
    this.name = name
  }

  get location(): string {
    return resolve(this.path)
  }

  get isTransient(): boolean {
    return false
  }

  async size(): Promise<number> {
    return sizeOf(this.path)
  }

  async state(): Promise<string> {
    return fileState(this.path)
  }

  stamp(): Stamp | undefined {
    return stampOf(this.path)
  }

  whole(): Whole | undefined {
    return reading(this.path, () => readSmall(this.path))
  }

  bytes({ pieceBytes = readBytes }: ReadOptions = {}): AsyncGenerator<Buffer> {
    return readFile(this.path, pieceBytes)
  }

  ranges(): Promise<RangeReader | undefined> {
    return openRanges(this.path)
  }

  async reference(root?: string): Promise<string | undefined> {
    if (root !== undefined) return await referenceBelow(root, this.path)
    const way = await referenceBelow('/', this.path)
    return way === undefined ? undefined : `/${way}`
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

function fileState(path: string): string {
  const stats = reading(path, () => statSync(path, { bigint: true }))
  if (!stats.isFile())
    throw new LadingError(
      'SOURCE_UNREADABLE',
      `${path} is not a regular file; a pipe goes into standard input, which is '-'`,
    )
  return stateOf(stats)
}

/**
 * File systems tell time in steps of up to 2 s (FAT), and the clock of a file server may be some seconds off:
 * so long after a change, the next one has another time.
 */
const settledAfterMs = 10_000

/** The time of the last change (ctime) is set by the system alone: a time that a program restores hides nothing. */
function stampOf(path: string): Stamp | undefined {
  const now = Date.now()
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs } = statSync(path, { bigint: true })
    const changedAt = Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs)
    const text = `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
    return { text, size: Number(size), isSettled: changedAt < now - settledAfterMs }
  } catch {
    return undefined
  }
}

const stateOf = ({ dev, ino, size, mtimeNs }: BigIntStats): string => [dev, ino, size, mtimeNs].join(':')

async function* readFile(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const small = reading(path, () => readSmall(path))
  if (small === undefined) yield* readLarge(path, pieceBytes)
  else if (small.bytes.length > 0) yield small.bytes
}

/** Undefined where the file is not small, or not regular, or changes meanwhile. */
function readSmall(path: string): Whole | undefined {
  // Opening a pipe would wait for its writer.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = fstatSync(file, { bigint: true })
    if (!stats.isFile() || stats.size > smallBytes) return undefined
    // One byte more than the file has: reading less is its end.
    const buffer = Buffer.allocUnsafe(Number(stats.size) + 1)
    let size = 0
    for (let read = -1; read !== 0 && size < buffer.length; size += read)
      read = readSync(file, buffer, size, buffer.length - size, null)
    const state = stateOf(stats)
    if (size === buffer.length || stateOf(fstatSync(file, { bigint: true })) !== state) return undefined
    return { bytes: buffer.subarray(0, size), state }
  } finally {
    closeSync(file)
  }
}

/** Reads into one buffer: a stream's own buffers would cost more than everything else. */
async function* readLarge(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
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
  const small = reading(path, () => readSmall(path))
  if (small !== undefined)
    return {
      read: async (into, at) => small.bytes.copy(into, 0, Math.min(at, small.bytes.length)),
      [Symbol.asyncDispose]: async () => undefined,
    }
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

function reading<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException)
  }
}

function unreadable(path: string, cause: NodeJS.ErrnoException): LadingError {
  if (cause.code === 'ENOENT') return new LadingError('SOURCE_MISSING', `there is no file ${path}`, { cause })
  return new LadingError('SOURCE_UNREADABLE', `${path}: ${cause.message}`, { cause })
}
