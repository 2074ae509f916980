/** The bytes that end lines. */
export const lf = 0x0a
export const cr = 0x0d
/** Blanks within a line. */
export const space = 0x20
export const tab = 0x09
/** What a remark mostly begins with. */
export const hash = 0x23

/** The same bytes as a `Buffer`, without a copy. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Below this, what a collection frees later is not worth a call. */
const leastFreed = 8 * 1024

/**
 * Gives back memory that would otherwise wait for a collection: megabytes that are held for a while outlive
 * the cheap ones. `bytes` are empty afterwards; few of them, and those that share their memory, are left alone.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  const isOwn = byteLength === buffer.byteLength && buffer instanceof ArrayBuffer
  if (isOwn && byteLength >= leastFreed) buffer.transfer(0)
}

/** LF bytes in `bytes[start, end)`; for a few lines: csv/bytes.ts counts those of whole files. */
export function linesIn(bytes: Buffer, start = 0, end = bytes.length): number {
  let lines = 0
  for (let at = bytes.indexOf(lf, start); at >= 0 && at < end; at = bytes.indexOf(lf, at + 1)) lines++
  return lines
}

/** Whether a byte is a digit, 0 to 9. */
export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
