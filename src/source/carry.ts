/** Which sources travel as references instead of bytes. */
import { openRoot } from './root.ts'
import type { Source } from './source.ts'

/** What a message holds of its chunk: the bytes, or the file and the range where they lie. */
export type Carry = 'bytes' | 'reference'

export interface CarryOptions {
  /**
   * `reference` needs consumers that see the same files below their root. Compressed files and standard input
   * travel as bytes all the same.
   */
  readonly carry?: Carry
  /** Folder that references start from, `.` by default; files outside it cannot be referred to. */
  readonly root?: string
}

/** The path by which messages refer to a source; undefined if its bytes travel. */
export type ReferenceOf = (source: Source) => Promise<string | undefined>

export async function referencesFor({ carry = 'bytes', root = '.' }: CarryOptions): Promise<ReferenceOf> {
  if (carry === 'bytes') return async () => undefined
  const real = await openRoot(root)
  return (source) => source.reference(real)
}
