/** The foreign keys of a table, and those that refer to it, as far as our user may see them. */
import type { TableName } from '../../model/table.ts'
import type { LedgerRow } from '../sql/ledger-rows.ts'
import { identifiers, qualified } from './ddl.ts'
import { placeSql } from './relation.ts'
import type { Session } from './session.ts'

export interface ForeignKey {
  /** The table that has it, as people write it. */
  readonly of: string
  readonly columns: readonly string[]
  readonly parent: TableName
  readonly referred: readonly string[]
  readonly onDelete: string
}

export interface ForeignKeys {
  /** To other tables. */
  readonly own: readonly ForeignKey[]
  /** Of other tables. */
  readonly referring: readonly ForeignKey[]
  /** Of the table to itself. */
  readonly inner: readonly ForeignKey[]
}

export async function foreignKeysOf(session: Session, name: TableName): Promise<ForeignKeys> {
  const [isOwn, isReferring] = [
    placeSql(name, ['k.table_schema', 'k.table_name']),
    placeSql(name, ['k.referenced_table_schema', 'k.referenced_table_name']),
  ]
  const rows = await session.query(
    `SELECT k.table_schema AS "schema", k.table_name AS "table", k.constraint_name AS name, k.column_name AS part,
       k.referenced_table_schema AS parent_schema, k.referenced_table_name AS parent, k.referenced_column_name AS referred,
       r.delete_rule AS rule, ${isOwn} AS own, ${isReferring} AS referring
     FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
       ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
     WHERE k.referenced_table_name IS NOT NULL AND (${isOwn} OR ${isReferring})
     ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position`,
  )
  const keys = [
    ...Map.groupBy(rows, (row) => JSON.stringify([row['schema'], row['table'], row['name']])).values(),
  ]
  const ofKind = (own: boolean, referring: boolean) =>
    keys.filter(([row]) => isTrue(row, 'own') === own && isTrue(row, 'referring') === referring).map(keyIn)
  return { own: ofKind(true, false), referring: ofKind(false, true), inner: ofKind(true, true) }
}

const isTrue = (row: LedgerRow | undefined, name: string): boolean => Number(row?.[name]) === 1

function keyIn(rows: readonly LedgerRow[]): ForeignKey {
  const [first] = rows
  const text = (name: string) => String(first?.[name])
  return {
    of: text('table'),
    columns: rows.map((row) => String(row['part'])),
    parent: { schema: text('parent_schema'), table: text('parent') },
    referred: rows.map((row) => String(row['referred'])),
    onDelete: text('rule'),
  }
}

export const foreignKeyLine = ({ columns, parent, referred }: ForeignKey): string =>
  `FOREIGN KEY (${identifiers(columns)}) REFERENCES ${qualified(parent)} (${identifiers(referred)})`
