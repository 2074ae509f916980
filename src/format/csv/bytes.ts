import { lf } from '../../core/bytes.ts'

/**
 * Whether `byte` occurs in `bytes[from, to)`. Through Buffer, whose search is memchr: eight times as fast as
 * that of Uint8Array.
 */
export function hasByte(bytes: Uint8Array, byte: number, from: number, to: number): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).indexOf(byte) !== -1
}

/**
 * Number of LF bytes in `bytes[from, to)`: four bytes at a time, because the counting of lines sets the pace
 * of a whole load.
 */
export function countLines(bytes: Uint8Array, from: number, to: number): number {
  let lines = 0
  let at = from
  for (; at < to && ((bytes.byteOffset + at) & 3) !== 0; at++) if (bytes[at] === lf) lines++
  if (at === to) return lines
  const words = (to - at) >>> 2
  lines += countInWords(new Int32Array(bytes.buffer, bytes.byteOffset + at, words))
  for (at += words * 4; at < to; at++) if (bytes[at] === lf) lines++
  return lines
}

/**
 * Each byte of `sums` counts the LFs at its place in the words, so it is emptied every 255 words, before it
 * can overflow.
 */
function countInWords(words: Int32Array): number {
  let lines = 0
  for (let at = 0; at < words.length;) {
    const stop = Math.min(words.length, at + 255)
    let sums = 0
    for (; at < stop; at++) {
      const zeroWhereLf = (words[at] as number) ^ 0x0a0a0a0a
      const highBitWhereNot = ((zeroWhereLf & 0x7f7f7f7f) + 0x7f7f7f7f) | zeroWhereLf
      sums = (sums + ((~highBitWhereNot >>> 7) & 0x01010101)) | 0
    }
    lines += (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24)
  }
  return lines
}
