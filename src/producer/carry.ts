/** Which files travel as references instead of bytes, and under which path. */
import { realpath } from 'node:fs/promises'
import { LadingError } from '../core/errors.ts'
import { isPathDown, openRoot, pathBelow } from '../source/file/root.ts'
import { isCompressed, unreadable } from '../source/file/read.ts'
import { isSpooled } from '../source/stdin/spool.ts'

/** What a message holds of its chunk: the bytes, or the file and the range where they lie. */
export type Carry = 'bytes' | 'reference'

export interface CarryOptions {
  /**
   * `reference` needs consumers that see the same files below their root. Compressed files and standard input
   * travel as bytes all the same.
   */
  readonly carry?: Carry
  /** Folder that references start from, `.` where it is not given; files outside it cannot be referred to. */
  readonly root?: string
}

/** The path of a file in references to it; undefined where its bytes travel. */
export type PathOf = (file: string) => Promise<string | undefined>

export async function referencePaths({ carry = 'bytes', root = '.' }: CarryOptions): Promise<PathOf> {
  if (carry === 'bytes') return async () => undefined
  const real = await openRoot(root)
  return async (file) => {
    // A range of a compressed file cannot be read without all that precedes it, and the copy of standard
    // input does not stay.
    if (isSpooled(file) || (await isCompressed(file))) return undefined
    const path = await realpath(file).catch((cause: NodeJS.ErrnoException) => {
      throw unreadable(file, cause)
    })
    const way = pathBelow(real, path)
    if (way === undefined) {
      throw new LadingError(
        'USAGE',
        `${file} lies outside ${real}, where messages cannot refer to it: name a folder above it with --root`,
      )
    }
    // A name that another system would read in another way.
    return isPathDown(way) ? way : undefined
  }
}
