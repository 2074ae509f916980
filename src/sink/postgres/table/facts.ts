/** What the catalogue says of any table, view or partition: its columns as types of a model, and its keys. */
import type pg from 'pg'
import {
  maxNameBytes,
  nameOf,
  type TableColumn,
  type TableFacts,
  type TableName,
  type WantedTable,
} from '../../../model/table.ts'
import { inOtherCase, requireOwn } from '../../table.ts'
import { hasInsteadTrigger, mayBeFilled, whyInserted } from './catalog.ts'
import { moneyType } from './checked.ts'
import { qualified } from './ddl.ts'
import { type CatalogType, typeOf } from './fit.ts'
import { isDraft } from './made.ts'
import { ownerOf, requireSchema } from './schemas.ts'
import { keysOf, keysTakenAway } from './unique-keys.ts'

/** Undefined where there is no such table. Creates nothing, and needs no ledger. */
export async function factsOf(client: pg.Client, wanted: WantedTable): Promise<TableFacts | undefined> {
  requireOwn(wanted, ownerOf(wanted.schema))
  const relation = await relationOf(client, wanted)
  if (relation === undefined) {
    const other = wanted.anyCase === true ? await otherCaseOf(client, wanted) : undefined
    if (other === undefined) await requireSchema(client, wanted)
    return other && factsOf(client, other)
  }
  requireOwn(wanted, ownerOf(relation.nspname))
  const name = nameOf(wanted)
  const target = qualified(name)
  return {
    ...name,
    kind: kinds[relation.relkind] ?? 'other',
    isDraft: await isDraft(client, name),
    columns: await columnsOf(client, target),
    keys: (await keysTakenAway(client, target)) ?? (await keysOf(client, target)),
    inserts: whyInserted(relation),
  }
}

interface Relation {
  readonly nspname: string
  readonly relkind: string
  readonly instead: boolean
  readonly secured: boolean
}

/** The server would cut a longer name, and find the table of another one. */
async function relationOf(client: pg.Client, name: TableName): Promise<Relation | undefined> {
  if (Object.values(nameOf(name)).some((part) => Buffer.byteLength(part) > maxNameBytes)) return undefined
  const { rows } = await client.query<Relation>(
    `SELECT nspname, relkind, row_security_active(pg_class.oid) AS secured, ${hasInsteadTrigger} AS instead
     FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE pg_class.oid = to_regclass($1)`,
    [qualified(name)],
  )
  return rows[0]
}

async function otherCaseOf(client: pg.Client, wanted: TableName): Promise<TableName | undefined> {
  const { rows } = await client.query<Required<TableName>>(
    `SELECT nspname AS schema, relname AS table FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE lower(relname) = lower($1) AND relkind IN ('r', 'p', 'v', 'm', 'f')
       AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(pg_class.oid) ELSE lower(nspname) = lower($2) END
     ORDER BY nspname, relname`,
    [wanted.table, wanted.schema],
  )
  const found = wanted.schema === undefined ? rows.map(({ table }) => ({ table })) : rows
  return inOtherCase(wanted, found)
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
       ${mayBeFilled} AS "mayBeFilled", CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity, a.attgenerated <> '' AS generated
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
       CROSS JOIN LATERAL (SELECT CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod) length
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [target],
  )
  const example = rows.some(({ type }) => type === 'money') ? await moneyExample(client) : ''
  return rows.map(
    ({ name, notNull, hasDefault, mayBeFilled: isFilled, identity, generated, declared, ...type }) => ({
      name,
      type: type.type === 'money' ? moneyType(declared, example) : typeOf(type, declared),
      shown: declared,
      notNull,
      hasDefault,
      mayBeFilled: isFilled,
      identity: identity ?? undefined,
      generated,
    }),
  )
}

async function moneyExample(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ example: string }>('SELECT 1.5::numeric::money::text AS example')
  return rows[0]?.example ?? ''
}
