/** A source that comes in pieces of these sizes, in turn, each in the same memory, and has no ranges. */
import type { Source } from '../../src/source/source.ts'

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
    for (let at = 0, n = 0; at < bytes.length; n++) {
      const size = bytes.copy(memory, 0, at, at + (sizes[n % sizes.length] as number))
      yield memory.subarray(0, size)
      at += size
    }
  },
})
