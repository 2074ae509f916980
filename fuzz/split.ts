/** A source, split into chunks as the producer does it. */
import { LadingError } from '../src/core/errors.ts'
import type { Layout } from '../src/core/load.ts'
import type { Splitter } from '../src/format/split.ts'
import { type Input, requireThat } from './target.ts'

export interface Chunk {
  readonly start: number
  readonly end: number
  readonly records: number
  /** LF bytes before it. */
  readonly lines: number
}

export interface Split {
  readonly layout: Layout
  readonly chunks: readonly Chunk[]
  /** LF bytes of the source. */
  readonly lines: number
  /** What is wrong with the source as a whole. */
  readonly refused: string | undefined
}

/** Sources begin with a piece of this size at least (`source/pieces.ts`). */
const headBytes = 4096

/** How large pieces and chunks are. */
export interface Sizes {
  readonly first: number
  readonly piece: number
  readonly chunk: number
}

export const sizesOf = (input: Input): Sizes => ({
  // Heads are shorter than 4096 bytes in most inputs, and only a mark and a bracket must be whole.
  first: input.of([16, 17, 64, headBytes]),
  piece: input.of([1, 2, 3, 7, 64, 1000, 8192]),
  chunk: input.of([1, 10, 100, 9000]),
})

/** In one piece, and in pieces: each lies where the one before lay, as when a file is read. */
export function split(make: () => Splitter, source: Buffer, sizes: Sizes): Split {
  const splitter = make()
  const room = Buffer.alloc(Math.max(sizes.first, sizes.piece))
  const chunks: Chunk[] = []
  let start = -1
  let [records, lines] = [0, 0]
  const begin = (at: number) => {
    start = at
    ;({ records, lines } = splitter)
  }
  const close = (end: number) => {
    chunks.push({ start, end, records: splitter.records - records, lines })
    begin(end)
  }
  const result = (refused: string | undefined): Split => ({
    layout: splitter.layout,
    chunks: refused === undefined ? chunks : [],
    lines: refused === undefined ? splitter.lines : 0,
    refused,
  })
  try {
    for (let at = 0; at < source.length;) {
      const size = at === 0 ? sizes.first : sizes.piece
      const piece = room.subarray(0, source.copy(room, 0, at, at + size))
      let from = splitter.begin(piece)
      if (splitter.isPastHead && start < 0) begin(at + from)
      while (start >= 0 && from < piece.length) {
        const end = splitter.cut(from, Math.max(start + sizes.chunk - at, from))
        requireThat('a cut lies in its piece', end === -1 || (end >= from && end <= piece.length), {
          from,
          end,
        })
        if (end < 0) break
        from = end
        close(at + end)
      }
      at += piece.length
    }
    splitter.finish()
    if (start >= 0 && splitter.records > records) close(source.length)
    return result(undefined)
  } catch (error) {
    if (!(error instanceof LadingError)) throw error
    return result(`${error.code} ${error.message}`)
  }
}
