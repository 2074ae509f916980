/** What the catalogue says of any table, view or partition: its columns as types of a model, and its keys. */
import type pg from 'pg'
import type { TableColumn, TableFacts, TableName } from '../../../model/table.ts'
import { hasInsteadTrigger, whyInserted } from './catalog.ts'
import { qualified } from './ddl.ts'
import { type CatalogType, typeOf } from './fit.ts'
import { isDraft } from './made.ts'
import { keysOf, keysTakenAway } from './unique-keys.ts'

/** Undefined where there is no such table. Creates nothing, and needs no ledger. */
export async function factsOf(client: pg.Client, name: TableName): Promise<TableFacts | undefined> {
  const target = qualified(name)
  const { rows } = await client.query<{ relkind: string; oid: number; instead: boolean; secured: boolean }>(
    `SELECT oid::int8, relkind, row_security_active(oid) AS secured, ${hasInsteadTrigger} AS instead
     FROM pg_class WHERE oid = to_regclass($1)`,
    [target],
  )
  const [relation] = rows
  if (relation === undefined) return undefined
  return {
    schema: name.schema,
    table: name.table,
    kind: kinds[relation.relkind] ?? 'other',
    isDraft: await isDraft(client, name),
    columns: await columnsOf(client, target),
    keys: (await keysTakenAway(client, target)) ?? (await keysOf(client, target)),
    inserts: whyInserted(relation),
  }
}

const kinds: Readonly<Record<string, TableFacts['kind']>> = { r: 'table', p: 'partitioned', v: 'view' }

interface CatalogColumn extends CatalogType, Omit<TableColumn, 'type' | 'shown'> {
  readonly declared: string
}

async function columnsOf(client: pg.Client, target: string): Promise<TableColumn[]> {
  const { rows } = await client.query<CatalogColumn>(
    `SELECT a.attname AS name, coalesce(base.typname, t.typname) AS type, t.typtype = 'e' AS enumerated, typmod,
       format_type(coalesce(base.oid, t.oid), typmod) AS shown, format_type(t.oid, a.atttypmod) AS declared,
       a.attnotnull OR t.typnotnull AS "notNull", a.atthasdef AND a.attgenerated = '' OR t.typdefaultbin IS NOT NULL AS "hasDefault",
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity, a.attgenerated <> '' AS generated
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
       CROSS JOIN LATERAL (SELECT CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod) length
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [target],
  )
  return rows.map(({ name, notNull, hasDefault, identity, generated, declared, ...type }) => ({
    name,
    type: typeOf(type, declared),
    shown: declared,
    notNull,
    hasDefault,
    identity: identity ?? undefined,
    generated,
  }))
}
