/** The statements that made a table and its indexes, for another one: of catalogues that keep them as text. */

const part = String.raw`("(?:[^"]|"")*"|\[[^\]]*\]|\`[^\`]*\`|\w+)`
/** With its schema. */
const named = String.raw`${part}(?:\.${part})*`
const table = new RegExp(String.raw`^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?${named}`, 'i')
const index = new RegExp(
  String.raw`^CREATE\s+UNIQUE\s+INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?${named}\s+ON\s+${named}`,
  'i',
)

/** `name`: as SQL. Undefined where the statement makes no table. */
export const tableAs = (sql: string, name: string): string | undefined =>
  table.test(sql) ? sql.replace(table, () => `CREATE TABLE ${name}`) : undefined

/** Undefined where the statement makes no unique index. */
export const uniqueIndexAs = (sql: string, name: string, on: string): string | undefined =>
  index.test(sql) ? sql.replace(index, () => `CREATE UNIQUE INDEX ${name} ON ${on}`) : undefined
