/** What the catalogue says of a model's table, and what of it does not fit the model. */
import type pg from 'pg'
import { identifier } from '../../../driver/postgres/identifier.ts'
import type { Model } from '../../../model/model.ts'
import type { TableKey } from '../../../model/table.ts'
import { identifiers, qualified, sqlType } from './ddl.ts'
import { type CatalogType, misfit, modelType } from './fit.ts'
import { keysOf } from './unique-keys.ts'

export interface Catalog {
  readonly tables: readonly CatalogTable[]
  readonly columns: ReadonlyMap<string, CatalogColumn>
  /** On exactly the primary key of the model. */
  readonly hasUniqueKey: boolean
  /**
   * Some unique index keeps two rows of the same primary key apart, at the end of a transaction at the
   * latest; true where the model has none.
   */
  readonly checksKey: boolean
}

export async function readCatalog(client: pg.Client, model: Model): Promise<Catalog> {
  return {
    tables: await tablesOf(client, model),
    columns: await catalogColumns(client, model),
    ...(await keyChecks(client, model)),
  }
}

/**
 * Columns of the model in which the table takes no NULL, although the model does. A trigger before each row
 * may fill them.
 */
export function refusingNull(model: Model, { tables, columns }: Catalog): readonly string[] {
  if (tables.some(({ mayFillIn }) => mayFillIn)) return []
  return model.columns
    .filter(({ name, notNull }) => !notNull && columns.get(name)?.notNull === true)
    .map(({ name }) => name)
}

export function* orderProblems({ columns, primaryKey, version }: Model): Generator<string> {
  for (const { name, type } of columns) {
    if (sqlType(type).toLowerCase() !== 'json') continue
    if (primaryKey.includes(name))
      yield `column ${name} is json, which PostgreSQL cannot compare, so it cannot be part of the primaryKey`
    if (version === name)
      yield `column ${name} is json, which PostgreSQL cannot compare, so it cannot be the version`
  }
}

interface CatalogColumn extends CatalogType {
  readonly name: string
  readonly notNull: boolean
  /** A row cannot be inserted without a value for it. */
  readonly required: boolean
  /** Computed from other columns: no value can be given. */
  readonly computed: boolean
  /** GENERATED ALWAYS AS IDENTITY: a value can be inserted, and not updated. */
  readonly alwaysIdentity: boolean
}

/** One line each, with what to do about it. */
export function* problemsOf(
  model: Model,
  { tables, columns, hasUniqueKey: hasKey }: Catalog,
  deferred: boolean,
): Generator<string> {
  yield* orderProblems(model)
  for (const { it, relkind, relpersistence, instead } of tables) {
    if (relkind === 'v' && !instead)
      yield `${it} is a view without an INSTEAD OF INSERT trigger (name the table below it)`
    else if (relkind !== 'r' && relkind !== 'p' && relkind !== 'v')
      yield `${it} is not an ordinary or partitioned table, so rows and ledger would not share a transaction`
    if (relpersistence !== 'p')
      yield `${it} is not logged: a crash would empty it while the ledger says that the rows took effect`
  }
  for (const { name, type } of model.columns) {
    const column = columns.get(name)
    const problem = column === undefined ? undefined : misfit(type, column)
    if (column === undefined)
      yield `it has no column ${name} (ALTER TABLE ${qualified(model)} ADD COLUMN ${identifier(name)} ${sqlType(type)}, or leave it out of the model)`
    else if (column.computed)
      yield `column ${name} is computed by the table itself (leave it out of the model)`
    else if (
      column.alwaysIdentity &&
      ['update', 'merge'].includes(model.onConflict) &&
      !model.primaryKey.includes(name)
    )
      yield `column ${name} is GENERATED ALWAYS AS IDENTITY outside the primaryKey, and PostgreSQL lets onConflict 'update' change no such column`
    else if (problem !== undefined) yield `column ${name} ${problem}`
  }
  const known = new Set(model.columns.map((column) => column.name))
  for (const column of columns.values()) {
    if (column.required && !known.has(column.name))
      yield `column ${column.name} needs a value and is not in the model (write ${column.name}: ${modelType(column)}.notNull(), or give it a DEFAULT)`
  }
  if (!deferred && model.onConflict !== 'error' && !hasKey) {
    const key = identifiers(model.primaryKey)
    yield `onConflict '${model.onConflict}' needs a unique index on exactly (${key}) (ALTER TABLE ${qualified(model)} ADD PRIMARY KEY (${key}), or onConflict: 'error')`
  }
}

interface CatalogTable {
  /** What a problem calls it. */
  readonly it: string
  readonly relkind: string
  readonly relpersistence: string
  /** A view whose trigger answers INSERT. */
  readonly instead: boolean
  /** Whether row security applies to our role. */
  readonly secured: boolean
  /** A trigger before each row, or a rule, may put a value where there is none. */
  readonly mayFillIn: boolean
}

/** Bits of tgtype: for each row, on INSERT, INSTEAD OF (pg_trigger.h). */
export const hasInsteadTrigger =
  "EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgtype & 69 = 69 AND tgenabled <> 'D')"

/**
 * Why rows are inserted instead of copied; undefined where COPY takes them. COPY is refused under row
 * security. Of a view, it counts rows that the trigger left out as if it had taken them.
 */
export function whyInserted({
  instead,
  secured,
}: Pick<CatalogTable, 'instead' | 'secured'>): string | undefined {
  if (instead) return 'it is a view with an INSTEAD OF trigger'
  return secured ? 'row security applies to our role' : undefined
}

/** The table, and where it is partitioned all its partitions: that is where the rows lie. */
async function tablesOf(client: pg.Client, model: Model): Promise<readonly CatalogTable[]> {
  const { rows } = await client.query<CatalogTable>(
    `SELECT CASE WHEN oid = to_regclass($1) THEN 'it' ELSE 'its partition ' || oid::regclass END AS it, relkind, relpersistence,
       row_security_active(oid) AS secured, ${hasInsteadTrigger} AS instead,
       relhasrules OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgtype & 3 = 3 AND tgenabled <> 'D') AS "mayFillIn"
     FROM pg_class WHERE oid = to_regclass($1) OR oid IN (SELECT relid FROM pg_partition_tree(to_regclass($1)))
     ORDER BY oid <> to_regclass($1), oid`,
    [qualified(model)],
  )
  return rows
}

/**
 * Whether a trigger before an INSERT of each row (pg_trigger.h) may fill the column `a`: it names it. Others would let a
 * file without the column become as many rejects as it has records.
 */
export const mayBeFilled = `EXISTS (SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
  WHERE tgrelid = a.attrelid AND tgtype & 71 = 7 AND tgenabled <> 'D' AND position(a.attname::text IN prosrc || encode(tgargs, 'escape')) > 0)`

async function catalogColumns(client: pg.Client, model: Model): Promise<Map<string, CatalogColumn>> {
  const { rows } = await client.query<CatalogColumn>(
    `SELECT a.attname AS name, coalesce(base.typname, t.typname) AS type, t.typtype = 'e' AS enumerated, typmod,
            format_type(coalesce(base.oid, t.oid), typmod) AS shown,
            a.attnotnull OR t.typnotnull AS "notNull", a.attgenerated <> '' AS computed, a.attidentity = 'a' AS "alwaysIdentity",
            a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AND NOT ${mayBeFilled} AS required
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
       CROSS JOIN LATERAL (SELECT CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod) length
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`,
    [qualified(model)],
  )
  return new Map(rows.map((row) => [row.name, row]))
}

async function keyChecks(
  client: pg.Client,
  model: Model,
): Promise<Pick<Catalog, 'hasUniqueKey' | 'checksKey'>> {
  const { arbiter } = model
  if (arbiter !== undefined) {
    const keys = await keysOf(client, qualified(model))
    const isOf = (key: TableKey) =>
      key.predicate === arbiter.predicate && `${key.expressions}` === `${arbiter.expressions}`
    return { hasUniqueKey: keys.some(isOf), checksKey: true }
  }
  const { rows } = await client.query<{ immediate: boolean; columns: readonly string[] }>(
    `SELECT indimmediate AS immediate, (SELECT array_agg(attname::text) FROM pg_attribute
       WHERE attrelid = indrelid AND attnum = ANY (indkey[0:indnkeyatts - 1])) AS columns
     FROM pg_index WHERE indrelid = to_regclass($1) AND indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL`,
    [qualified(model)],
  )
  const { primaryKey } = model
  // An index on fewer columns refuses more.
  const checking = rows.filter(({ columns }) => columns.every((name) => primaryKey.includes(name)))
  return {
    hasUniqueKey: checking.some(
      ({ immediate, columns }) => immediate && columns.length === primaryKey.length,
    ),
    checksKey: primaryKey.length === 0 || checking.length > 0,
  }
}
