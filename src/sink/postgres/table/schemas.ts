/** Schemas, as the names of tables have them. */
import type pg from 'pg'
import { identifier } from '../../../driver/postgres/identifier.ts'
import { LadingError } from '../../../core/errors.ts'
import { listed } from '../../../core/listed.ts'
import { shownTable, type TableName } from '../../../model/table.ts'

/** Whose the tables of a schema are, where no load may write to them. */
export function ownerOf(schema: string | undefined): string | undefined {
  if (schema === 'lading') return 'the ledger'
  return schema?.startsWith('pg_') === true || schema === 'information_schema'
    ? 'PostgreSQL itself'
    : undefined
}

const mostNamed = 20

/** Throws `SCHEMA_MISMATCH` where the table names a schema that does not exist. */
export async function requireSchema(client: pg.Client, name: TableName): Promise<void> {
  const { schema } = name
  if (schema === undefined) return
  const { rows } = await client.query<{ nspname: string }>(
    'SELECT nspname FROM pg_namespace ORDER BY nspname',
  )
  const names = rows.map(({ nspname }) => nspname)
  if (names.includes(schema)) return
  const own = names.filter((each) => ownerOf(each) === undefined)
  throw new LadingError(
    'SCHEMA_MISMATCH',
    `table ${shownTable(name)}: there is no schema ${schema}, only ${listed(own, mostNamed)} (CREATE SCHEMA ${identifier(schema)} makes it)`,
  )
}
