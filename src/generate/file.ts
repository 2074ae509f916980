/**
 * Files that appear whole under their name or not at all. They are not forced to the disk: after a power cut
 * one generates again.
 */
import { randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LadingError } from '../core/errors.ts'

/** The file gets its name once `write` is done; what `write` returns is returned. */
export async function writeWhole<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  // A name of its own for each attempt: two runs into one folder must not write into the same file.
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

/** A failing file system is the operator's to mend, so it must not look like a fault of ours. */
export async function writing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new LadingError('OUTPUT_UNWRITABLE', `cannot write ${path}: ${(cause as Error).message}`, { cause })
  }
}
