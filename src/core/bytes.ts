/** The bytes that end lines. */
export const lf = 0x0a
export const cr = 0x0d
/** Blanks within a line. */
export const space = 0x20
export const tab = 0x09

/** The same bytes as a `Buffer`, without a copy. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** LF bytes in `bytes[start, end)`; for a few lines: csv/bytes.ts counts those of whole files. */
export function linesIn(bytes: Buffer, start = 0, end = bytes.length): number {
  let lines = 0
  for (let at = bytes.indexOf(lf, start); at >= 0 && at < end; at = bytes.indexOf(lf, at + 1)) lines++
  return lines
}

/** Whether a byte is a digit, 0 to 9. */
export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
