/** The first `most` texts, followed by the number of the others. */
export function listed(texts: readonly string[], most: number, separator = ', '): string {
  const more = texts.length - most
  return [...texts.slice(0, most), ...(more > 0 ? [`and ${more} more`] : [])].join(separator)
}
