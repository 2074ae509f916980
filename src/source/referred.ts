/**
 * Reads what messages refer to, in files and in stores. A message may be hostile: what it says is a path below the
 * root, and how the root is reached is the consumer's own. The consumers of a load also read what it names by
 * a whole path or URL. The bytes count only with the sha256 that the message states.
 */
import { LadingError, toLadingError } from '../core/errors.ts'
import { maxReferenceBytes } from '../core/load.ts'
import { sha256Of } from '../core/sha256.ts'
import { readOn, type RemoteFile } from './remote-file.ts'
import { changed, refused, shown, unreadable } from './read-fault.ts'
import type { ReadFault, Reference, References } from './source.ts'

/** The file in a store at a path; undefined where it is one of the file system. */
export type RemoteOf = (path: string) => RemoteFile | ReadFault | undefined

export class Referred implements References {
  readonly #files: References
  readonly #remoteOf: RemoteOf

  constructor(files: References, remoteOf: RemoteOf) {
    this.#files = files
    this.#remoteOf = remoteOf
  }

  async read(reference: Reference): Promise<Buffer | ReadFault> {
    const remote = this.#remoteOf(reference.path)
    if (remote === undefined) return await this.#files.read(reference)
    return 'code' in remote ? remote : await readRemote(remote, reference)
  }

  give(bytes: Buffer): void {
    this.#files.give(bytes)
  }

  close(): Promise<void> {
    return this.#files.close()
  }
}

async function readRemote(file: RemoteFile, reference: Reference): Promise<Buffer | ReadFault> {
  const { path, byteStart, bytes, sha256 } = reference
  if (bytes > maxReferenceBytes)
    return refused(path, `is to be read for ${bytes} bytes at once, ${maxReferenceBytes} at most are allowed`)
  try {
    const part = await readOn(file, { at: byteStart, bytes })
    const end = byteStart + bytes
    if (part.bytes.length < bytes)
      return changed(path, `has ${part.facts.size} bytes, the chunk ends at ${end}`)
    if (sha256Of(part.bytes) === sha256) return part.bytes
    return changed(path, `does not hold at byte ${byteStart} what was planned`)
  } catch (thrown) {
    return faultOf(path, thrown)
  }
}

/**
 * What says nothing of the file is waited for: a server that is away, or refuses the credentials. Any other error is one
 * of the file, and its message can be replayed.
 */
function faultOf(path: string, thrown: unknown): ReadFault {
  const { code, message } = toLadingError(thrown)
  if (code === 'SOURCE_UNAVAILABLE' || code === 'SOURCE_REFUSED')
    throw new LadingError('REFERENCE_HOLD', `${shown(path)} cannot be read: ${message}`, { cause: thrown })
  // v8 ignore next -- a driver that is not installed, or a fault of ours
  if (!code.startsWith('SOURCE_') && code !== 'USAGE') throw thrown
  return unreadable(path, message)
}
