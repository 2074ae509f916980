import { headPieceBytes } from '../../src/source/pieces.ts'
import type { Source } from '../../src/source/source.ts'

/** What a source begins with comes in one piece: records come in pieces of any sizes only behind as much. */
export const margin = ' '.repeat(headPieceBytes)

/**
 * A source that comes in pieces of these sizes, in turn, each in the same memory, and has no ranges. A margin is a piece
 * of its own.
 */
export const inPieces = (bytes: Buffer, sizes: readonly number[]): Source => ({
  name: 'x',
  path: 'x',
  location: 'x',
  isTransient: false,
  size: async () => bytes.length,
  state: async () => 'same',
  ranges: async () => undefined,
  reference: async () => undefined,
  async *bytes() {
    const memory = Buffer.alloc(Math.max(...sizes))
    let at = bytes.toString('latin1', 0, headPieceBytes) === margin ? headPieceBytes : 0
    if (at > 0) yield bytes.subarray(0, at)
    for (let n = 0; at < bytes.length; n++) {
      const size = bytes.copy(memory, 0, at, at + (sizes[n % sizes.length] as number))
      yield memory.subarray(0, size)
      at += size
    }
  },
})
