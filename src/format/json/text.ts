/** Strings of JSON as the bytes of their text. */

const backslash = 0x5c
const escapes = new Map(
  [...'bfnrt'].map((letter, index) => [letter.charCodeAt(0), [8, 12, 10, 13, 9][index] as number]),
)

/**
 * The UTF-8 of a sound string that stands, without its quotes, from `start` to before `end`. Half a surrogate
 * pair gets the three bytes that its number would have, so that different strings stay different.
 */
export function unescape(bytes: Buffer, start: number, end: number): Buffer {
  // No escape is shorter than what it stands for.
  const text = Buffer.allocUnsafe(end - start)
  let size = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte !== backslash) {
      text[size++] = byte
      continue
    }
    const letter = bytes[++at] as number
    if (letter !== 0x75) {
      text[size++] = escapes.get(letter) ?? letter
      continue
    }
    let point = unitAt(bytes, at + 1)
    at += 4
    if (
      point >= 0xd800 &&
      point < 0xdc00 &&
      at + 6 < end &&
      bytes[at + 1] === backslash &&
      bytes[at + 2] === 0x75
    ) {
      const low = unitAt(bytes, at + 3)
      if (low >= 0xdc00 && low <= 0xdfff) {
        point = 0x10000 + (point - 0xd800) * 0x400 + (low - 0xdc00)
        at += 6
      }
    }
    size = append(text, size, point)
  }
  return text.subarray(0, size)
}

const unitAt = (bytes: Buffer, at: number): number =>
  Number.parseInt(bytes.toString('latin1', at, at + 4), 16)

/** Writes the UTF-8 of a code point and returns where the next one goes. */
function append(text: Buffer, at: number, point: number): number {
  if (point < 0x80) {
    text[at] = point
    return at + 1
  }
  const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3
  // The first byte tells how many follow: 110…, 1110… or 11110…
  text[at] = ((0xff00 >> (more + 1)) & 0xff) | (point >> (6 * more))
  for (let rest = more - 1, next = at + 1; rest >= 0; rest--, next++)
    text[next] = 0x80 | ((point >> (6 * rest)) & 0x3f)
  return at + more + 1
}
