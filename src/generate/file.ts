/**
 * Files that appear complete or not at all. They are not synced to disk: after a power loss, generate again.
 */
import { randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LadingError } from '../core/errors.ts'

/** Gives the file its name once `write` is done, and returns the result of `write`. */
export async function writeWhole<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  // A unique name per attempt, because two runs may write into one folder.
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  try {
    const file = await writing(path, open(temporary, 'wx'))
    const written = await write(file).finally(() => writing(path, file.close()))
    await writing(path, rename(temporary, path))
    return written
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
}

/** Only an operator can fix the file system, so its errors must not look like our faults. */
export async function writing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new LadingError('OUTPUT_UNWRITABLE', `cannot write ${path}: ${(cause as Error).message}`, { cause })
  }
}
