import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { randomUUID } from 'node:crypto'
import { LadingError } from '../core/errors.ts'
import type { SourceFile } from './discover.ts'

/** Standard input is read twice like any file, so it is kept in a file of its own until it is published. Its name is `stdin`: its content alone identifies it. */
export async function spool(
  stdin: AsyncIterable<Uint8Array> | undefined,
  statePath: string,
): Promise<AsyncDisposable & { readonly file: SourceFile }> {
  if (stdin === undefined) throw new LadingError('USAGE', "'-' stands for standard input, and there is none")
  const folder = join(dirname(statePath), 'spool')
  const path = join(folder, `${randomUUID()}.csv`)
  const remove = () => rm(path, { force: true })
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await pipeline(stdin, createWriteStream(path, { mode: 0o600 }))
  } catch (cause) {
    await remove()
    throw new LadingError('OUTPUT_UNWRITABLE', `standard input cannot be kept in ${folder}: ${(cause as Error).message}`, { cause })
  }
  return { file: { path, name: 'stdin' }, [Symbol.asyncDispose]: remove }
}
