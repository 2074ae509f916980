const mostFound = 40

/** A cell as a fault quotes it: short, on one line, with invisible characters escaped. */
export const found = (bytes: Buffer, start: number, end: number): string =>
  quoted(shortened(bytes, start, end, mostFound))

/** A text of at most `most` bytes, cut between two characters. */
export function shortened(bytes: Buffer, start: number, end: number, most: number): string {
  if (end - start <= most) return bytes.toString('utf8', start, end)
  let cut = start + most
  while (cut > start && ((bytes[cut] as number) & 0xc0) === 0x80) cut--
  return `${bytes.toString('utf8', start, cut)}…`
}

const quoted = (text: string): string => visible(JSON.stringify(text))

/** Writes line ends, control characters and invisible spaces and marks as `\u{…}`. */
export function visible(text: string): string {
  return text.replace(
    /(?! )[\p{C}\p{Z}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )
}
