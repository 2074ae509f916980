/** Enough for any text about a record that a person wants to read; the record itself is kept apart. */
const mostCharacters = 8192

/**
 * A text that every database keeps: without NUL, without half a surrogate pair, and not longer than a person reads. Where such
 * a text were refused, the reject that it tells of could not be kept.
 */
export function storable(text: string): string {
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1)}…` : text
  return cut.toWellFormed().replaceAll('\0', '\\0')
}
