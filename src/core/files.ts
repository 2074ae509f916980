/** Classifies file system errors, and creates folders safely. */
import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Errors that may pass. Every other error repeats, however often the path is tried. */
const passing: ReadonlySet<string | undefined> = new Set(
  'EMFILE ENFILE ENOMEM EIO ESTALE EAGAIN EBUSY EINTR ETIMEDOUT ENOTCONN ECONNREFUSED ECONNRESET EHOSTDOWN EHOSTUNREACH ENETDOWN ENETUNREACH'.split(
    ' ',
  ),
)
const full: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT'])

/** `full`: no space left; `passing`: may go away by itself; `refused`: the path cannot be used. */
export type FileTrouble = 'full' | 'passing' | 'refused'

/** Classifies a file system error; undefined for any other error. */
export function fileTrouble(error: unknown): FileTrouble | undefined {
  if (!(error instanceof Error) || !('syscall' in error)) return undefined
  const { code } = error as NodeJS.ErrnoException
  if (full.has(code)) return 'full'
  return passing.has(code) ? 'passing' : 'refused'
}

/**
 * Creates the folder and its parents. Node's own `recursive` option never returns in a folder that cannot
 * hold others, such as /proc.
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
  Object.assign(new Error(`ENOTDIR: ${path} is a file, and not a folder`), {
    code: 'ENOTDIR',
    syscall: 'mkdir',
    path,
  })

/**
 * Why a file can be neither opened for writing nor created, for callers that know only that it failed.
 * Undefined if it works now.
 */
export function whyNotWritable(path: string): NodeJS.ErrnoException | undefined {
  try {
    // May leave an empty file, which SQLite treats as a new database.
    closeSync(openSync(path, 'a'))
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    const trouble = error as NodeJS.ErrnoException
    if (trouble.code === 'EISDIR') trouble.message = 'EISDIR: it is a folder, and not a file'
    return trouble
  }
}
