/**
 * Reads ranges of files below one folder, at paths that come from messages and may be hostile. A path must
 * lead downwards by its form alone, from the folder or from '/'. The file must be a regular one and lie below
 * the folder itself, so that a link out of it leads nowhere. The consumers of a load read the files that it
 * names by their whole path, wherever they lie. No more is read than the message states and the limit allows. The bytes count
 * only with the sha256 that the message states, so that its sender learns and loads nothing that it does not
 * know.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { freeBytes } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import { fileTrouble } from '../../core/files.ts'
import { maxReferenceBytes } from '../../core/load.ts'
import { SpareMemory } from '../../core/spare.ts'
import { changed, refused, shown, unreadable } from '../read-fault.ts'
import { isPathDown, openRoot, pathBelow } from '../root.ts'
import type { ReadFault, Reference, References } from '../source.ts'

/**
 * Opening a pipe must not wait for its writer, and only `realpath` follows links.
 * (Windows knows neither flag.)
 */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

export class RootedFiles implements References {
  readonly #root: string
  readonly #isAnywhere: boolean
  /** The file that was read last: chunks of one file mostly come one after the other. */
  #last: { readonly path: string; readonly file: FileHandle } | undefined

  readonly #spare = new SpareMemory()

  private constructor(root: string, isAnywhere: boolean) {
    this.#root = root
    this.#isAnywhere = isAnywhere
  }

  /**
   * `isAnywhere`: what has a whole path need not lie below the root. Throws `CONFIG_INVALID` where the root is
   * no folder.
   */
  static async open(root: string, isAnywhere = false): Promise<RootedFiles> {
    return new RootedFiles(await openRoot(root), isAnywhere)
  }

  async read(range: Reference): Promise<Buffer | ReadFault> {
    const { path, bytes } = range
    if (!isPathDown(isWhole(path) ? path.slice(1) : path))
      return refused(path, 'is no path downwards from the root')
    if (bytes > maxReferenceBytes)
      return refused(
        path,
        `is to be read for ${bytes} bytes at once, ${maxReferenceBytes} at most are allowed`,
      )
    const kept = this.#last?.path === path
    const result = await this.#tryToRead(range)
    // What was opened before may have been replaced since.
    return Buffer.isBuffer(result) || !kept ? result : this.#tryToRead(range)
  }

  give(bytes: Buffer): void {
    if (!this.#spare.give(bytes)) freeBytes(bytes)
  }

  async close(): Promise<void> {
    this.#spare.clear()
    await this.#closeLast()
  }

  async #closeLast(): Promise<void> {
    const last = this.#last
    this.#last = undefined
    await last?.file.close()
  }

  async #tryToRead(range: Reference): Promise<Buffer | ReadFault> {
    let result: Buffer | ReadFault
    try {
      const file = await this.#fileAt(range.path)
      result = 'code' in file ? file : await readRange(file, range, this.#spare)
    } catch (error) {
      await this.#closeLast()
      return this.#faultOf(range.path, error as NodeJS.ErrnoException)
    }
    if (!Buffer.isBuffer(result)) await this.#closeLast()
    return result
  }

  async #fileAt(path: string): Promise<FileHandle | ReadFault> {
    if (this.#last?.path === path) return this.#last.file
    await this.#closeLast()
    // Whole paths are real ones. What lies elsewhere is not even looked for.
    if (isWhole(path) && !this.#mayRead(path, path)) return refused(path, 'lies outside the root')
    const real = await realpath(isWhole(path) ? path : join(this.#root, path))
    if (!this.#mayRead(path, real)) return refused(path, 'leads out of the root')
    // Opening a device may already do something.
    if (!(await lstat(real)).isFile()) return refused(path, 'is not a regular file')
    const file = await open(real, openFlags)
    this.#last = { path, file }
    // A folder may have been replaced by a link in between.
    const opened = await pathOf(file)
    if (opened !== undefined && !this.#mayRead(path, opened)) return refused(path, 'leads out of the root')
    return file
  }

  #mayRead(path: string, real: string): boolean {
    return (this.#isAnywhere && isWhole(path)) || pathBelow(this.#root, real) !== undefined
  }

  async #faultOf(path: string, error: NodeJS.ErrnoException): Promise<ReadFault> {
    const { code, message } = error
    // It says nothing about the file. Any other error is taken for one of the file: its message becomes a
    // dead letter, which can be replayed, where waiting for what does not pass would hold up everything
    // behind it.
    if (fileTrouble(error) === 'passing')
      throw new LadingError('REFERENCE_HOLD', `${shown(path)} cannot be read: ${message}`, { cause: error })
    if (isWhole(path)) return unreadable(path, code ?? message)
    // A root that is gone says nothing about the files in it.
    const root = await lstat(this.#root).catch((cause: Error) => {
      throw new LadingError('REFERENCE_HOLD', `the root cannot be reached: ${cause.message}`, { cause })
    })
    if (!root.isDirectory())
      throw new LadingError('REFERENCE_HOLD', `the root ${this.#root} is no folder any more`)
    return unreadable(path, code ?? message)
  }
}

/** Whether the path starts from '/' and not from the root. */
const isWhole = (path: string): boolean => path.startsWith('/')

/** Where the open file lies according to the system; undefined except on Linux. */
const pathOf = (file: FileHandle): Promise<string | undefined> =>
  // v8 ignore next -- another operating system
  readlink(`/proc/self/fd/${file.fd}`).catch(() => undefined)

async function readRange(
  file: FileHandle,
  { path, byteStart, bytes, sha256 }: Reference,
  spare: SpareMemory,
): Promise<Buffer | ReadFault> {
  const stats = await file.stat()
  // v8 ignore next -- it became one since it was looked at
  if (!stats.isFile()) return refused(path, 'is not a regular file')
  const { size } = stats
  const end = byteStart + bytes
  // Before anything is allocated.
  if (end > size) return changed(path, `has ${size} bytes, the chunk ends at ${end}`)
  const buffer = spare.take(bytes)
  for (let filled = 0; filled < bytes;) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, byteStart + filled)
    if (bytesRead === 0) return changed(path, `ends at byte ${byteStart + filled}, the chunk at ${end}`)
    filled += bytesRead
  }
  if (createHash('sha256').update(buffer).digest('hex') === sha256) return buffer
  return changed(path, `does not hold at byte ${byteStart} what was planned`)
}
