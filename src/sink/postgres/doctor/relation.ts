/** The table in the catalogue, which every role may read: to_regclass refuses names in a schema that it may not use. */
import type pg from 'pg'
import type { TableName } from '../../../model/table.ts'

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** pg_class.relkind. */
  readonly kind: string
  /** pg_class.relpersistence. */
  readonly persistence: string
}

export async function relationOf(client: pg.Client, name: TableName): Promise<Relation | undefined> {
  const { rows } = await client.query<Relation>(
    `SELECT c.oid, nspname::text AS schema, relname::text AS table, relkind AS kind, relpersistence AS persistence
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relname = $1 AND relkind IN ('r', 'p', 'v', 'm', 'f')
       AND CASE WHEN $2::text IS NULL THEN nspname = ANY (current_schemas(false)) ELSE nspname = $2 END
     ORDER BY array_position(current_schemas(false), nspname) LIMIT 1`,
    [name.table, name.schema ?? null],
  )
  return rows[0]
}
