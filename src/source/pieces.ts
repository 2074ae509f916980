/** The bytes of a source as a splitter takes them. */
import { LadingError } from '../core/errors.ts'
import type { Abortable } from '../core/wait.ts'
import type { ReadOptions, Source } from './source.ts'

/** Most heads are shorter, and what is read with them is read for nothing. */
export const headPieceBytes = 4096

/**
 * The first piece has `headPieceBytes` or all there is: a byte order mark, and what tells an array from
 * lines, may lie in several frames of a compressed source.
 */
export async function* piecesOf(source: Source, { signal, ...options }: ReadOptions & Abortable) {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const piece of source.bytes(options)) {
    if (signal?.aborted) throw new LadingError('ABORTED', `stopped while reading ${source.path}`)
    if (head === undefined) yield piece
    else {
      const start: Buffer =
        head.length === 0 && piece.length >= headPieceBytes ? piece : Buffer.concat([head, piece])
      head = start.length < headPieceBytes ? start : undefined
      if (head === undefined) yield start
    }
  }
  if (head !== undefined && head.length > 0) yield head
}
