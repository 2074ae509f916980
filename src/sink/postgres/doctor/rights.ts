/** What the role needs and lacks, each as the GRANT that gives it. */
import type pg from 'pg'
import { shownIdentifier } from '../../../driver/postgres/identifier.ts'
import { findingsAbout } from '../../../core/finding.ts'
import { migrations } from '../table/schema.ts'
import { type Check, row, type TableCheck } from './visit.ts'
import { type Relation, relationOf } from './relation.ts'

const { ok, fail } = findingsAbout('database')
const ofTable = findingsAbout('table')

interface LedgerRights {
  readonly database: string
  readonly role: string
  readonly mayCreate: boolean
  readonly hasLedger: boolean
  readonly mayUse: boolean
  readonly mayMake: boolean
  readonly lacking: number
  readonly foreign: number
}

const ledgerSql = `
  SELECT current_database()::text AS database, current_user::text AS role,
    has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
    n.oid IS NOT NULL AS "hasLedger", coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS "mayUse",
    coalesce(has_schema_privilege(n.oid, 'CREATE'), false) AS "mayMake",
    (SELECT count(*)::int FROM pg_class c WHERE relnamespace = n.oid AND relkind = 'r'
       AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))) AS lacking,
    (SELECT count(*)::int FROM pg_class c WHERE relnamespace = n.oid AND relkind = 'r' AND NOT pg_has_role(relowner, 'USAGE')) AS foreign
  FROM (SELECT 1) AS one LEFT JOIN pg_namespace n ON nspname = 'lading'`

export const rights: Check = async ({ client }, add) => {
  const found = await row<LedgerRights>(client, ledgerSql)
  const to = `TO ${shownIdentifier(found.role)};`
  const lacks = (detail: string, cure: string) => add(fail('rights', detail, cure))
  let complete = true
  const need = (has: boolean, detail: string, cure: string) => {
    if (has) return
    complete = false
    lacks(`role ${found.role} ${detail}`, cure)
  }
  if (!found.hasLedger) {
    need(
      found.mayCreate,
      `may not make the schema lading, which holds the ledger`,
      `GRANT CREATE ON DATABASE ${shownIdentifier(found.database)} ${to}`,
    )
  } else {
    need(found.mayUse, 'may not use the schema of the ledger', `GRANT USAGE ON SCHEMA lading ${to}`)
    need(
      found.lacking === 0,
      `may not read and write all tables of the ledger`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lading ${to}`,
    )
    if (found.mayUse && (await isOld(client)))
      need(
        found.mayMake && found.foreign === 0,
        'may not bring the ledger up to this version: its owner must run lading once, such as with lading status',
        // Only an owner alters a table, whatever others are granted.
        found.foreign === 0 ? `GRANT CREATE ON SCHEMA lading ${to}` : 'lading status # as the owner',
      )
  }
  if (complete) add(ok('rights', `role ${found.role} may ${found.hasLedger ? 'use' : 'make'} the ledger`))
}

async function isOld(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM lading.migration',
  )
  return (rows[0]?.version ?? 0) < migrations.length
}

export const tableRights: TableCheck = async (
  { client, table: { name, model, onConflict: policy } },
  add,
) => {
  const relation = await relationOf(client, name)
  if (relation === undefined) return newTableRights(client, name.schema, add)
  const found = await row<{
    readonly role: string
    readonly database: string
    readonly mayUseTemp: boolean
    readonly inserts: boolean
    readonly usesSchema: boolean
    readonly rights: readonly string[]
    readonly sequences: readonly string[] | null
  }>(
    client,
    `SELECT current_user::text AS role, current_database()::text AS database, has_database_privilege(current_database(), 'TEMP') AS "mayUseTemp",
       relkind = 'v' OR row_security_active(c.oid) AS inserts, has_schema_privilege(relnamespace, 'USAGE') AS "usesSchema",
       ARRAY(SELECT r FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r WHERE has_table_privilege(c.oid, r)
         OR CASE WHEN r <> 'DELETE' THEN (SELECT bool_and(has_column_privilege(c.oid, attname, r)) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attname = ANY ($2)) END) AS rights,
       (SELECT array_agg(format('%I.%I', sn.nspname, s.relname)) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = adrelid AND attnum = adnum
          JOIN pg_depend ON classid = 'pg_attrdef'::regclass AND objid = d.oid AND refclassid = 'pg_class'::regclass
          JOIN pg_class s ON s.oid = refobjid JOIN pg_namespace sn ON sn.oid = s.relnamespace
        WHERE adrelid = c.oid AND attname <> ALL ($2) AND CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END) AS sequences
     FROM pg_class c WHERE oid = $1`,
    [relation.oid, model?.columns.map((column) => column.name) ?? []],
  )
  const { role } = found
  const shown = shownRelation(relation)
  // SELECT tells whether the table is empty, and finds rows by their key.
  const needed = [
    'SELECT',
    'INSERT',
    ...(policy === 'update' || policy === 'merge' ? ['UPDATE'] : []),
    ...(model?.deletes === true ? ['DELETE'] : []),
  ]
  const missing = needed.filter((right) => !found.rights.includes(right))
  const to = `TO ${shownIdentifier(role)};`
  if (!found.usesSchema)
    add(
      ofTable.fail(
        'rights',
        `role ${role} may not use schema ${relation.schema}`,
        `GRANT USAGE ON SCHEMA ${shownIdentifier(relation.schema)} ${to}`,
      ),
    )
  if (missing.length > 0)
    add(
      ofTable.fail(
        'rights',
        `role ${role} may not ${missing.join(', ')}${policy === 'error' ? '' : ` (onConflict '${policy}')`}`,
        `GRANT ${missing.join(', ')} ON TABLE ${shown} ${to}`,
      ),
    )
  const sequences = (model && found.sequences) ?? []
  for (const sequence of sequences)
    add(
      ofTable.fail(
        'rights',
        `role ${role} may take no number of sequence ${sequence}, which fills a column that the records do not`,
        `GRANT USAGE ON SEQUENCE ${sequence} ${to}`,
      ),
    )
  const isStaged = policy !== 'error' || found.inserts
  if (isStaged && !found.mayUseTemp)
    add(
      ofTable.fail(
        'rights',
        `role ${role} may make no temporary table, through which records go whose keys may exist`,
        `GRANT TEMPORARY ON DATABASE ${shownIdentifier(found.database)} ${to}`,
      ),
    )
  if (found.usesSchema && missing.length === 0 && sequences.length === 0 && (found.mayUseTemp || !isStaged))
    add(ofTable.ok('rights', `role ${role} may ${needed.join(', ')}`))
}

async function newTableRights(
  client: pg.Client,
  wanted: string | undefined,
  add: Parameters<TableCheck>[1],
): Promise<void> {
  const found = await row<{
    readonly role: string
    readonly database: string
    readonly schema: string | null
    readonly path: string
    readonly exists: boolean
    readonly usage: boolean
    readonly creates: boolean
  }>(
    client,
    `SELECT current_user::text AS role, current_database()::text AS database, coalesce($1, current_schema())::text AS schema, current_setting('search_path') AS path,
       n.oid IS NOT NULL AS exists, coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usage, coalesce(has_schema_privilege(n.oid, 'CREATE'), false) AS creates
     FROM (SELECT 1) AS one LEFT JOIN pg_namespace n ON nspname = coalesce($1, current_schema())`,
    [wanted ?? null],
  )
  const { role, schema } = found
  if (schema === null)
    add(
      ofTable.fail(
        'rights',
        `no schema of the search path (${found.path}) can be used, so a new table has no place`,
        `GRANT USAGE, CREATE ON SCHEMA public TO ${shownIdentifier(role)};`,
      ),
    )
  else if (!found.exists)
    add(
      ofTable.fail(
        'rights',
        `there is no schema ${schema}`,
        `CREATE SCHEMA ${shownIdentifier(schema)} AUTHORIZATION ${shownIdentifier(role)};`,
      ),
    )
  else if (found.usage && found.creates)
    add(ofTable.ok('rights', `role ${role} may make a table in schema ${schema}`))
  else {
    const missing = [...(found.usage ? [] : ['USAGE']), ...(found.creates ? [] : ['CREATE'])].join(', ')
    add(
      ofTable.fail(
        'rights',
        `role ${role} may make no table in schema ${schema}`,
        `GRANT ${missing} ON SCHEMA ${shownIdentifier(schema)} TO ${shownIdentifier(role)};`,
      ),
    )
  }
}

export const shownRelation = ({ schema, table }: Relation): string =>
  `${shownIdentifier(schema)}.${shownIdentifier(table)}`
