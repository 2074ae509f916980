/** Counts as people read them. */

/** `1,234,567`, of a whole number. Not by Intl: loading its data takes as long as a small load. */
export const count = (value: number): string => String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')

/** `1 file`, `2 files`. */
export const counted = (value: number, thing: string): string =>
  `${count(value)} ${thing}${value === 1 ? '' : 's'}`
