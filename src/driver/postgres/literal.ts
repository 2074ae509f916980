/** Values as text: SQL for statements that go to the server together, which take no parameters. */
import pg from 'pg'

export const literal = (text: string): string => (/['\\]/.test(text) ? pg.escapeLiteral(text) : `'${text}'`)

/**
 * An array. Most texts need nothing done to them, which is cheaper to ask than to do: there may be thousands.
 */
export const arrayLiteral = (type: string, values: readonly (string | number)[]): string =>
  `${literal(`{${values.map(element).join()}}`)}::${type}[]`

function element(value: string | number): string | number {
  if (typeof value === 'number') return value
  return `"${/["\\]/.test(value) ? value.replaceAll(/["\\]/g, String.raw`\$&`) : value}"`
}
