/** Foreign keys of a table, and what is wrong with them. */
import { type Finding, findingsAbout } from '../../../core/finding.ts'
import type { SqliteFile } from '../../../core/sqlite.ts'
import { identifier } from '../ddl.ts'

const { note, fail } = findingsAbout('table')

export interface ForeignKey {
  readonly parent: string
  readonly columns: readonly string[]
  /** Of the parent, in the same order. */
  readonly referred: readonly string[]
  /** It names no columns of the parent, and means its primary key. */
  readonly isPrimary: boolean
}

export function foreignKeysOf(file: SqliteFile, table: string): ForeignKey[] {
  const rows = file.all<{ id: number; table: string; from: string; to: string | null }>(
    'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq',
    table,
  )
  return [...Map.groupBy(rows, ({ id }) => id).values()].map((parts) => {
    const parent = parts[0]?.table ?? ''
    const primary = file
      .all<{ name: string }>('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', parent)
      .map(({ name }) => name)
    return {
      parent,
      columns: parts.map(({ from }) => from),
      referred: parts.map(({ to }, n) => to ?? primary[n] ?? ''),
      isPrimary: parts[0]?.to === null,
    }
  })
}

/** Whether an index of the table begins with the columns; `unique`: is unique on exactly these. */
function hasIndex(file: SqliteFile, table: string, columns: readonly string[], unique: boolean): boolean {
  const wanted = columns.map((each) => each.toLowerCase()).toSorted()
  const sameAs = (names: readonly string[]) =>
    (!unique || names.length === wanted.length) &&
    `${names
      .slice(0, wanted.length)
      .map((each) => each.toLowerCase())
      .toSorted()}` === `${wanted}`
  const primary = file
    .all<{ name: string }>('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', table)
    .map(({ name }) => name)
  if (primary.length > 0 && sameAs(primary)) return true
  return file
    .all<{ name: string; unique: number; partial: number }>(
      'SELECT name, "unique", partial FROM pragma_index_list(?)',
      table,
    )
    .filter((index) => index.partial === 0 && (!unique || index.unique === 1))
    .some(({ name }) =>
      sameAs(
        file
          .all<{ name: string | null }>('SELECT name FROM pragma_index_info(?)', name)
          .map((each) => each.name ?? ''),
      ),
    )
}

export function* keyFindings(file: SqliteFile, table: string): Generator<Finding> {
  for (const { parent, columns, referred } of foreignKeysOf(file, table)) {
    const list = referred.map(identifier).join(', ')
    const exists =
      file.get('SELECT 1 FROM pragma_table_list WHERE name = ? COLLATE NOCASE', parent) !== undefined
    if (!exists)
      yield fail(
        'foreign key',
        `(${columns.join(', ')}) refers to table ${parent}, which is not there: every record with a value in it is refused`,
      )
    else if (!hasIndex(file, parent, referred, true))
      yield fail(
        'foreign key',
        `(${columns.join(', ')}) refers to ${parent} (${referred.join(', ')}), which has no unique index: SQLite refuses every insert (foreign key mismatch)`,
        `CREATE UNIQUE INDEX ${identifier(`${parent}_${referred.join('_')}`)} ON ${identifier(parent)} (${list});`,
      )
    else if (!hasIndex(file, table, columns, false))
      yield note(
        'foreign key',
        `no index begins with (${columns.join(', ')}): a load needs none, but each deletion in ${parent} reads this table whole`,
        `CREATE INDEX ${identifier(`${table}_${columns.join('_')}`)} ON ${identifier(table)} (${columns.map(identifier).join(', ')});`,
      )
  }
}
