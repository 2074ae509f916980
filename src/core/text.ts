/** Longest text of a message, a detail or a name that is told or kept, in characters: enough for whatever a person reads. */
const mostCharacters = 2_048

/** The text, cut where it is longer than a person reads: what a stranger sends may be of any length. */
export const shortened = (text: string): string =>
  text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1).toWellFormed()}…` : text
