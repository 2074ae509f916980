/** Which sources travel as references instead of bytes. */
import { sep } from 'node:path'
import { isUrl, openRoot } from './root.ts'
import type { Source } from './source.ts'

/**
 * What a message holds of its chunk: the bytes, or the file and the range where they lie. `reference` names the
 * file below a root, for consumers that see the same files there. `local` names it as this machine does, for
 * the consumers of a load through a queue of this machine; small files travel as bytes.
 */
export type Carry = 'bytes' | 'reference' | 'local'

export interface CarryOptions {
  /** Compressed files and standard input travel as bytes, whatever is said here. */
  readonly carry?: Carry | undefined
  /** Folder that `reference` starts from, or its URL, `.` by default; files outside it cannot be referred to. */
  readonly root?: string
}

/** The path by which messages refer to a source; undefined if its bytes travel. */
export type ReferenceOf = (source: Source) => Promise<string | undefined>

export async function referencesFor({ carry = 'bytes', root = '.' }: CarryOptions): Promise<ReferenceOf> {
  // The paths of Windows do not start from one folder.
  if (carry === 'bytes' || (carry === 'local' && sep !== '/')) return async () => undefined
  if (carry === 'local') return (source) => source.reference()
  const real = isUrl(root) ? root : await openRoot(root)
  return (source) => source.reference(real)
}
