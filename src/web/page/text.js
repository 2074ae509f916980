/** Texts that a person edits or reads, without a change that nobody made. */

/** What a text field makes of line ends. @param {string} text */
export const shownIn = (text) => text.replaceAll(/\r\n?/g, '\n')

/**
 * A text field turns every line end into LF. This is the original with only the change that a person made: what
 * stands before and after it keeps its line ends, and new lines end as the first line does.
 * @param {string} original @param {string} edited as the field has it
 */
export function edit(original, edited) {
  const shown = shownIn(original)
  let start = 0
  const most = Math.min(shown.length, edited.length)
  while (start < most && shown[start] === edited[start]) start++
  let same = 0
  while (same < most - start && shown.at(-1 - same) === edited.at(-1 - same)) same++
  const lineEnd = /\r\n?|\n/.exec(original)?.[0] ?? '\n'
  const changed = edited.slice(start, edited.length - same).replaceAll('\n', lineEnd)
  return (
    original.slice(0, placeOf(original, start)) +
    changed +
    original.slice(placeOf(original, shown.length - same))
  )
}

/** The place in the original of a place in what is shown of it. @param {string} original @param {number} shown */
function placeOf(original, shown) {
  let at = 0
  for (let seen = 0; seen < shown; seen++) at += original.startsWith('\r\n', at) ? 2 : 1
  return at
}

/**
 * JSON with a member or an element a line. Only blanks between its tokens change, so that numbers stay as they
 * are, and text that is cut or is no JSON is shown too.
 * @param {string} text
 */
export function indented(text) {
  const tokens = text.match(/"(?:[^"\\]|\\[^])*"?|[[\]{},:]|[^\s"[\]{},:]+/g) ?? []
  let depth = 0
  let result = ''
  for (const [index, token] of tokens.entries()) {
    const isClosing = token === '}' || token === ']'
    const isEmpty = isClosing && (tokens[index - 1] === '{' || tokens[index - 1] === '[')
    if (isClosing) depth = Math.max(0, depth - 1)
    if (isClosing && !isEmpty) result += lineAt(depth)
    result += token
    if (token === '{' || token === '[') {
      depth++
      if (tokens[index + 1] !== '}' && tokens[index + 1] !== ']') result += lineAt(depth)
    } else if (token === ',') result += lineAt(depth)
    else if (token === ':') result += ' '
    // Between documents, as lines of NDJSON are.
    else if (depth === 0 && index < tokens.length - 1) result += '\n'
  }
  return result
}

/** @param {number} depth */
const lineAt = (depth) => `\n${'  '.repeat(depth)}`
