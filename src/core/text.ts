/** Longest text of a message, detail or name that is reported or kept, in characters. */
const mostCharacters = 2_048

/** Shortens a text to what a person reads: an external message may hold text of any length. */
export const shortened = (text: string): string =>
  text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1).toWellFormed()}…` : text

/** Without blanks around it. */
export const withoutBlanks = (text: string): string => text.replaceAll(/^[ \t]+|(?<![ \t])[ \t]+$/g, '')

/** The text as a regular expression that matches it alone. */
export const asPattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
