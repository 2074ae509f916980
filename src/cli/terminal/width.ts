/** The width of text on a terminal, in columns, and how to limit it. */

/** Two columns each: East Asian characters and emoji. */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18fff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
/** Drawn over the previous character; an emoji selector may widen it. */
const combining = /(?!\ufe0f)[\p{Mn}\p{Me}]/u

/** If terminals differ, the larger width: a line that is too short does no harm. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += widthOfOne(character)
  return width
}

const widthOfOne = (character: string): number =>
  wide.test(character) ? 2 : combining.test(character) ? 0 : 1

/** The beginning of the text, in at most this many columns. */
export function cutEnd(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : `${fitting(text, columns - 1)}${columns > 0 ? '…' : ''}`
}

/** The end of the text, in at most this many columns. */
export const cutStart = (text: string, columns: number): string =>
  widthOf(text) <= columns ? text : `${columns > 0 ? '…' : ''}${fittingEnd(text, columns - 1)}`

/** Beginning and end of the text, because long names often differ only at the end. */
export function cutMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  if (columns < 3) return cutEnd(text, columns)
  const tail = fittingEnd(text, Math.ceil((columns - 1) * 0.6))
  return `${fitting(text, columns - 1 - widthOf(tail))}…${tail}`
}

/** Wraps text between words; a longer word gets a line of its own. */
export function wrapped(text: string, columns: number, indent: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length === 0 || widthOf(longer) > columns) lines.push(indent + word)
    else lines[lines.length - 1] = longer
  }
  return lines
}

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - widthOf(text)))

export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - widthOf(text))) + text

const fittingEnd = (text: string, columns: number): string => reversed(fitting(reversed(text), columns))

const reversed = (text: string): string => [...text].toReversed().join('')

function fitting(text: string, columns: number): string {
  let [width, kept] = [0, '']
  for (const character of text) {
    width += widthOfOne(character)
    if (width > columns) break
    kept += character
  }
  return kept
}
