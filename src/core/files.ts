/** What errors of the file system mean, and folders made without the traps of doing so. */
import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Errors that may pass while the path stays the same. Every other error repeats, however often the path is
 * tried.
 */
const passing: ReadonlySet<string | undefined> = new Set(
  'EMFILE ENFILE ENOMEM EIO ESTALE EAGAIN EBUSY EINTR ETIMEDOUT ENOTCONN ECONNREFUSED ECONNRESET EHOSTDOWN EHOSTUNREACH ENETDOWN ENETUNREACH'.split(
    ' ',
  ),
)
const full: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT'])

/**
 * `full`: there is no room; `passing`: it may go away by itself; `refused`: the path cannot be used as it is.
 */
export type FileTrouble = 'full' | 'passing' | 'refused'

/** What an error of the file system means; undefined for any other error. */
export function fileTrouble(error: unknown): FileTrouble | undefined {
  if (!(error instanceof Error) || !('syscall' in error)) return undefined
  const { code } = error as NodeJS.ErrnoException
  if (full.has(code)) return 'full'
  return passing.has(code) ? 'passing' : 'refused'
}

/**
 * Makes the folder and those above it. Node's own recursive way never returns where a folder can hold none,
 * as in /proc.
 */
export function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code === 'EEXIST') throw notAFolder(path)
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path || isFolder(above)) throw error
    makeFolder(above, mode)
    makeFolder(path, mode)
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

const notAFolder = (path: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`ENOTDIR: not a directory, '${path}'`), { code: 'ENOTDIR', syscall: 'mkdir', path })

/**
 * Why a file can be neither opened for writing nor made, for callers that know only that it is so; undefined
 * where it can now.
 */
export function whyNotWritable(path: string): NodeJS.ErrnoException | undefined {
  try {
    // May leave an empty file, which SQLite takes for a new database.
    closeSync(openSync(path, 'a'))
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}
