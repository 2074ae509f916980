/** Two and four bytes at once: one load costs what that of a single byte does. */

let lastBytes: Buffer = Buffer.alloc(0)
let lastView = new DataView(lastBytes.buffer)

/** A view of the same memory. The last one is kept, because the cells of a chunk lie in one buffer. */
export function viewOf(bytes: Buffer): DataView {
  if (bytes !== lastBytes) {
    lastBytes = bytes
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  return lastView
}

/** Values of two digits by their bytes, the first one lower; -1 for any other two bytes. */
export const pairs = new Int8Array(65_536).fill(-1)
for (let value = 0; value < 100; value++)
  pairs[48 + Math.floor(value / 10) + 256 * (48 + (value % 10))] = value

/** The value of two digits at `at`; -1 if there are none. */
export const pairAt = (view: DataView, at: number): number => pairs[view.getUint16(at, true)] as number

/**
 * The next index from `start` on whose byte may be below those of `above`, which are all the same; `limit` at
 * the end. Of fewer than four bytes before the limit, each may be. Most bytes are letters and digits, above all
 * marks: four of them are passed at once. A byte is below when its difference has the high bit and itself has
 * not; of the flags, the lowest one is right even where the difference borrows.
 */
export function nextBelow(view: DataView, start: number, limit: number, above: number): number {
  let at = start
  for (; at + 4 <= limit; at += 4) {
    const word = view.getInt32(at, true)
    const below = (word - above) & ~word & 0x80808080
    if (below !== 0) return at + ((31 - Math.clz32(below & -below)) >>> 3)
  }
  return at
}
