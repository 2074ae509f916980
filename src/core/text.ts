/**
 * Longest text of a message, detail or name that is reported or kept, in characters: more than a person
 * reads.
 */
const mostCharacters = 2_048

/** The text, cut where it is longer than a person reads: what a stranger sends may be of any length. */
export const shortened = (text: string): string =>
  text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1).toWellFormed()}…` : text
