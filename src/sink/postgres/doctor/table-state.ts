/** Whether the table fits the records, keeps its promises, and is in good state. */
import { identifiers } from '../table/ddl.ts'
import type pg from 'pg'
import { count } from '../../../core/counted.ts'
import { sizeText } from '../../../core/disk.ts'
import { findingsAbout } from '../../../core/finding.ts'
import { type Model, tableName } from '../../../model/model.ts'
import { shownTable } from '../../../model/table.ts'
import { problemsOf, readCatalog, whyInserted } from '../table/catalog.ts'
import { isDeferred } from '../table/defer.ts'
import { type Relation, relationOf } from './relation.ts'
import { shownRelation } from './rights.ts'
import { type Add, row, type TableCheck } from './visit.ts'

const { ok, note, warn, fail } = findingsAbout('table')

const mostProblems = 20

interface State {
  readonly bytes: number
  readonly indexBytes: number
  readonly buffers: number
  readonly rows: number
  readonly secured: boolean
  readonly instead: boolean
  readonly dead: number | null
  readonly live: number | null
  readonly unindexed: readonly string[] | null
}

export const tableState: TableCheck = async ({ client, table: { name, model } }, add) => {
  const relation = await relationOf(client, name)
  if (relation === undefined)
    return add(
      note(
        'table',
        `there is no table ${shownTable(name)} yet${model === undefined ? '' : ': a load makes it'}`,
      ),
    )
  const shown = shownRelation(relation)
  if (relation.persistence === 'u')
    add(
      fail(
        'unlogged',
        `table ${shown} is not logged: a crash would empty it while the ledger says that its rows took effect, so a load refuses it`,
        `ALTER TABLE ${shown} SET LOGGED;`,
      ),
    )
  const found = await row<State>(
    client,
    `SELECT sums.bytes, sums."indexBytes", sums.rows, pg_size_bytes(current_setting('shared_buffers'))::float8 AS buffers,
       row_security_active(c.oid) AS secured,
       EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgtype & 69 = 69 AND tgenabled <> 'D') AS instead, n_dead_tup::float8 AS dead, n_live_tup::float8 AS live,
       (SELECT array_agg(conname::text) FROM pg_constraint k WHERE conrelid = c.oid AND contype = 'f'
          AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND (indkey::int2[])[0] = conkey[1])) AS unindexed
     FROM pg_class c LEFT JOIN pg_stat_user_tables s ON relid = c.oid
       CROSS JOIN LATERAL (SELECT coalesce(sum(pg_table_size(oid)), 0)::float8 AS bytes, coalesce(sum(pg_indexes_size(oid)), 0)::float8 AS "indexBytes",
           coalesce(sum(greatest(reltuples, 0)), 0)::float8 AS rows
         FROM pg_class WHERE (oid = c.oid OR oid IN (SELECT relid FROM pg_partition_tree(c.oid))) AND relkind IN ('r', 'm')) AS sums
     WHERE c.oid = $1`,
    [relation.oid],
  )
  if (model === undefined && !isTable(relation, found.instead))
    add(
      fail(
        'table',
        `${shown} is no ordinary or partitioned table, and no view with an INSTEAD OF INSERT trigger`,
      ),
    )
  const inserted = whyInserted(found)
  if (inserted !== undefined)
    add(note('rows', `${inserted}, so rows are staged and inserted instead of copied, which takes longer`))
  const fits = model === undefined || (await fit(client, model, relation, add))
  const size = `${shown}: about ${count(Math.round(found.rows))} rows, ${sizeText(found.bytes)}, indexes ${sizeText(found.indexBytes)}`
  if (fits) add(ok('table', model === undefined ? size : `${size}; it fits the records`))
  if (found.indexBytes > found.buffers)
    add(
      note(
        'indexes',
        `its indexes (${sizeText(found.indexBytes)}) are larger than shared_buffers (${sizeText(found.buffers)}): keys that come in no order read and write a page of the disk each, which the figures below do not show`,
      ),
    )
  if (found.unindexed !== null)
    add(
      note(
        'foreign keys',
        `no index begins with the columns of ${found.unindexed.join(', ')}: a load needs none, but each deletion in the other table reads this one whole`,
      ),
    )
  if (found.dead !== null && found.live !== null && found.dead > 10_000 && found.dead > found.live)
    add(
      note(
        'dead rows',
        `it has ${count(found.dead)} dead rows beside ${count(found.live)} live ones`,
        `VACUUM (ANALYZE) ${shown};`,
      ),
    )
  await brin(client, relation, add)
}

const isTable = ({ kind }: Relation, instead: boolean): boolean =>
  kind === 'r' || kind === 'p' || (kind === 'v' && instead)

async function fit(client: pg.Client, model: Model, relation: Relation, add: Add): Promise<boolean> {
  const { rows: ledger } = await client.query(
    "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'lading' AND relname = 'deferred' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')",
  )
  const away = ledger.length > 0 && (await isDeferred(client, model))
  const catalog = await readCatalog(client, model)
  const problems = [...problemsOf(model, catalog, away)].filter((each) => !each.includes('is not logged'))
  for (const problem of problems.slice(0, mostProblems)) {
    const [, detail = problem, cure] = /^(.*?)(?: \((.*)\))?$/s.exec(problem) ?? []
    add(fail('columns', `SCHEMA_MISMATCH: table ${tableName(model)}: ${detail}`, cure))
  }
  if (!away && !catalog.checksKey)
    add(
      warn(
        'key',
        `no unique index is on (${model.primaryKey.join(', ')}), so records of the same key are all loaded`,
        `ALTER TABLE ${shownRelation(relation)} ADD PRIMARY KEY (${identifiers(model.primaryKey)});`,
      ),
    )
  return problems.length === 0
}

/** From 1 (in order) to 0: below, a range of blocks holds values of the whole table. */
const goodCorrelation = 0.9

/** What the last ANALYZE saw. */
async function brin(client: pg.Client, relation: Relation, add: Add): Promise<void> {
  const { rows } = await client.query<{ index: string; column: string; correlation: number }>(
    `SELECT indexrelid::regclass::text AS index, attname::text AS column, correlation::float8
     FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = relam AND amname = 'brin'
       JOIN pg_attribute a ON attrelid = indrelid AND attnum = indkey[0] JOIN pg_stats s USING (attname)
     WHERE indrelid = $1 AND s.schemaname = $2 AND s.tablename = $3 AND correlation IS NOT NULL`,
    [relation.oid, relation.schema, relation.table],
  )
  for (const { index, column, correlation } of rows)
    if (Math.abs(correlation) < goodCorrelation)
      add(
        note(
          'BRIN index',
          `rows do not lie in the order of ${column} (correlation ${correlation.toFixed(2)}), so ${index} excludes little: load files in that order, or use a btree`,
          `CLUSTER ${shownRelation(relation)} USING …; -- an index on ${column}`,
        ),
      )
}
