/** What no two rows of a table share, by its unique indexes. */
import type pg from 'pg'
import type { TableKey } from '../../../model/table.ts'

/**
 * Its elements as ON CONFLICT takes them. An index depends on the columns that its expressions and its
 * predicate read (pg_depend), and only there are those of a predicate named.
 */
export const keysSql = `
  SELECT c.relname AS name, indisprimary AS primary, indimmediate AS immediate, to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' AS nullless, pg_get_expr(indpred, indrelid) AS predicate,
    (SELECT array_agg(a.attname::text ORDER BY n) FROM unnest(indkey[0:indnkeyatts - 1]) WITH ORDINALITY AS key (num, n)
       JOIN pg_attribute a ON attrelid = indrelid AND attnum = num) AS plain,
    CASE WHEN indexprs IS NOT NULL THEN
      (SELECT array_agg(CASE num WHEN 0 THEN '(' || pg_get_indexdef(indexrelid, n::int, false) || ')' ELSE quote_ident(attname) END ORDER BY n)
       FROM unnest(indkey[0:indnkeyatts - 1]) WITH ORDINALITY AS key (num, n) LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = num) END AS expressions,
    (SELECT array_agg(DISTINCT attname::text) FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
       WHERE classid = 'pg_class'::regclass AND objid = indexrelid AND refobjid = indrelid AND refobjsubid > 0) AS read
  FROM pg_index i JOIN pg_class c ON c.oid = indexrelid
  WHERE indrelid = to_regclass($1) AND indisunique AND indisvalid ORDER BY indisprimary DESC, c.relname`

interface CatalogKey {
  readonly name: string
  readonly primary: boolean
  readonly immediate: boolean
  /** Two rows without a value are the same to it. */
  readonly nullless: boolean | null
  readonly predicate: string | null
  readonly plain: readonly string[] | null
  readonly expressions: readonly string[] | null
  readonly read: readonly string[] | null
}

export async function keysOf(client: pg.Client, target: string): Promise<TableKey[]> {
  return (await client.query<CatalogKey>(keysSql, [target])).rows.map(keyOf)
}

function keyOf({
  name,
  primary,
  immediate,
  nullless,
  predicate,
  expressions,
  ...found
}: CatalogKey): TableKey {
  const plain = found.plain ?? []
  const read = found.read ?? []
  return {
    name,
    primary,
    columns: expressions === null ? plain : [...new Set([...plain, ...read])],
    expressions: expressions ?? undefined,
    predicate: predicate ?? undefined,
    reads: predicate === null ? undefined : read,
    unfit: unfitness(immediate, nullless === true && (expressions ?? predicate) !== null),
  }
}

function unfitness(immediate: boolean, isNullless: boolean): string | undefined {
  if (!immediate) return 'it is DEFERRABLE, and such a constraint decides no conflict'
  return isNullless ? 'it is NULLS NOT DISTINCT over an expression or a part of the rows' : undefined
}

/**
 * The keys that the table had before a load took them away until its end. A ledger of an older version does
 * not have them, and a database that Lading has not met has no ledger.
 */
export async function keysTakenAway(client: pg.Client, target: string): Promise<TableKey[] | undefined> {
  const { rows: ledger } = await client.query("SELECT WHERE to_regclass('lading.deferred') IS NOT NULL")
  if (ledger.length === 0) return undefined
  const { rows } = await client.query<{ keys: readonly CatalogKey[] | null }>(
    "SELECT to_jsonb(d) -> 'keys' AS keys FROM lading.deferred d WHERE target = to_regclass($1)",
    [target],
  )
  return rows[0]?.keys?.map(keyOf)
}
