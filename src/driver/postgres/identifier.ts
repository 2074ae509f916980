/** A name as SQL text. The model has refused names that PostgreSQL would cut or that hold a NUL. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** For people: without quotes where the name needs none. */
export const shownIdentifier = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : identifier(name)
