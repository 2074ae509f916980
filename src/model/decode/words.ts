/** Two and four bytes of a cell at once: one load costs what that of a single byte does. */

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
