/** Counts as people read them. */

export const count = (value: number): string => value.toLocaleString('en-US')

/** `1 file`, `2 files`. */
export const counted = (value: number, thing: string): string =>
  `${count(value)} ${thing}${value === 1 ? '' : 's'}`
