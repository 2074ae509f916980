import { createWriteStream } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { randomUUID } from 'node:crypto'
import { LadingError } from '../../core/errors.ts'
import { makeFolder } from '../../core/files.ts'
import type { Abortable } from '../../core/wait.ts'
import { SourceAround } from '../around.ts'
import { FileSource } from '../file/file.ts'
import type { Source } from '../source.ts'

/**
 * A copy older than this was left behind by a run that was killed: no load of standard input takes a day.
 */
const leftBehindMs = 86_400_000

export interface SpoolOptions extends Abortable {
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Name of the source; by default `stdin`, and then its content alone identifies it. */
  readonly stdinName?: string
}

const usualName = 'stdin'

class SpooledSource extends SourceAround {
  override get path(): string {
    return this.name === usualName ? 'standard input' : this.name
  }

  override get isTransient(): boolean {
    return true
  }

  override stamp(): undefined {
    return undefined
  }

  override async reference(): Promise<undefined> {
    return undefined
  }
}

/** A copy of standard input: it does not stay, so messages hold its bytes. */
export const spooledSource = (path: string, name: string): Source =>
  new SpooledSource(new FileSource(path, name))

/** Standard input is read twice like any file, so it is kept in a file of its own until it is published. */
export async function spool(
  statePath: string,
  { stdin, stdinName: name = usualName, signal }: SpoolOptions = {},
): Promise<AsyncDisposable & { readonly source: Source }> {
  if (stdin === undefined) throw new LadingError('USAGE', "'-' stands for standard input, and there is none")
  const folder = join(dirname(statePath), 'spool')
  const path = join(folder, `${randomUUID()}.csv`)
  const remove = () => rm(path, { force: true })
  try {
    makeFolder(folder, 0o700)
    await removeLeftBehind(folder)
    await pipeline(stdin, createWriteStream(path, { mode: 0o600 }), { signal })
  } catch (cause) {
    await remove().catch(() => undefined)
    if (cause instanceof LadingError) throw cause
    if (signal?.aborted) throw new LadingError('ABORTED', 'stopped while reading standard input', { cause })
    throw new LadingError(
      'OUTPUT_UNWRITABLE',
      `standard input cannot be kept in ${folder}: ${(cause as Error).message}`,
      { cause },
    )
  }
  return { source: spooledSource(path, name), [Symbol.asyncDispose]: remove }
}

const spooledName = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.csv$/

/** Whether the file is a copy of standard input, which is removed when it is published. */
export const isSpooled = (path: string): boolean =>
  basename(dirname(path)) === 'spool' && spooledName.test(basename(path))

async function removeLeftBehind(folder: string): Promise<void> {
  // The folder stands beside a state file that may lie anywhere, so that not every file in it need be ours.
  const ours = (await readdir(folder)).filter((name) => spooledName.test(name))
  for (const path of ours.map((name) => join(folder, name))) {
    // Another producer may remove it first.
    const stats = await stat(path).catch(() => undefined)
    if (stats !== undefined && Date.now() - stats.mtimeMs > leftBehindMs) await rm(path, { force: true })
  }
}
